//! Datagrams as games send them: of each kind many different ones.
//!
//! The same datagram over and over would be learnt by heart: a processor foresees every branch of a tree walk that
//! it has seen a thousand times, and a coder that is mostly such walks looks twice as fast as it is in a game.

use nme_netem::Random;

/// Datagrams of one kind, all about as long.
pub(crate) struct Kind {
    /// A single word, for files.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) datagrams: Vec<Vec<u8>>,
}

impl Kind {
    /// Bytes of all datagrams together.
    pub(crate) fn bytes(&self) -> usize {
        self.datagrams.iter().map(Vec::len).sum()
    }
}

/// The same datagrams at every run.
pub(crate) fn all() -> Vec<Kind> {
    vec![
        Kind { name: "entities_20", title: "20 entities", datagrams: snapshots(1, 20) },
        Kind { name: "entities_90", title: "90 entities", datagrams: snapshots(2, 90) },
        Kind { name: "chat", title: "chat JSON", datagrams: many(3, chat) },
        Kind { name: "random", title: "random", datagrams: many(4, |random| random.bytes(256)) },
    ]
}

fn many(seed: u64, make: impl Fn(&mut Random) -> Vec<u8>) -> Vec<Vec<u8>> {
    let mut random = Random::new(seed);
    (0..VARIANTS).map(|_| make(&mut random)).collect()
}

/// What a server sends of a small world, one datagram a tick; every few seconds there is another one.
fn snapshots(seed: u64, count: usize) -> Vec<Vec<u8>> {
    let mut random = Random::new(seed);
    let mut all = Vec::new();
    while all.len() < VARIANTS {
        let mut world: Vec<Entity> =
            (0..count).map(|index| Entity::new(&mut random, 1000 + index as u16)).collect();
        for _ in 0..TICKS {
            all.push(world.iter().flat_map(Entity::bytes).collect());
            for entity in &mut world {
                entity.advance(&mut random);
            }
        }
    }
    all
}

/// An entity as in `scripts/codec_vectors/payloads.py`, 13 bytes of it, but moving.
struct Entity {
    id: u16,
    place: [f32; 2],
    speed: [f32; 2],
    yaw: u8,
    health: u8,
    animation: u8,
}

impl Entity {
    fn new(random: &mut Random, id: u16) -> Self {
        let mut entity = Self {
            id,
            place: [0, 0].map(|_: u8| random.within(0..2 * EDGE as usize * 8) as f32 / 8.0 - EDGE),
            speed: [0.0; 2],
            yaw: 0,
            health: if random.chance(0.19) { 40 + random.within(0..60) as u8 } else { 100 },
            animation: 0,
        };
        entity.turn(random);
        entity
    }

    /// Another way to go, and to look.
    fn turn(&mut self, random: &mut Random) {
        self.speed = [0, 0].map(|_: u8| random.within(0..17) as f32 / 8.0 - 1.0);
        self.yaw = random.bits() as u8 & 0xf0;
        self.animation = random.within(0..5) as u8;
    }

    /// One tick later.
    fn advance(&mut self, random: &mut Random) {
        for (place, speed) in self.place.iter_mut().zip(self.speed) {
            *place = (*place + speed).clamp(-EDGE, EDGE);
        }
        if random.chance(0.1) {
            self.turn(random);
        }
        if random.chance(0.02) {
            self.health = if random.chance(0.8) { 100 } else { 40 + random.within(0..60) as u8 };
        }
    }

    /// Number, position on a fine grid, yaw, health, animation.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.id.to_le_bytes().to_vec();
        bytes.extend(self.place.map(f32::to_le_bytes).as_flattened());
        bytes.extend([self.yaw, self.health, self.animation]);
        bytes
    }
}

/// A line of chat as JSON.
fn chat(random: &mut Random) -> Vec<u8> {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let from = random.within(1..10_000);
    let (team, time) = (random.within(1..5), random.within(0..360_000));
    let (minutes, hundredths) = (time / 100, time % 100);
    let mut text = (*random.pick(&words)).to_owned();
    loop {
        let json = format!(
            r#"{{"type":"chat","from":"player_{from}","team":{team},"text":"{text}","time":{minutes}.{hundredths:02}}}"#
        );
        if json.len() >= CHAT_LEN {
            return json.into_bytes();
        }
        text += *random.pick(&[" ", " ", " ", " ", ", "]);
        text += *random.pick::<&str>(&words);
    }
}

const WORDS: &str = "\
    regroup at the bridge two of them left near our gate who has a spare key for this door I am down need help \
    watch out behind you they took the tower again go north and wait there nice shot thanks good game well played \
    can someone drop ammo please hold on brb one minute my ping is bad today is anyone in the mine where did he \
    run left side right side top floor sniper on roof push now fall back heal me first revive him later lol yes \
    no maybe ok sure why not next round let us swap teams same map flag carrier low health base under attack";

/// Datagrams of each kind: more than a branch predictor can keep in mind.
const VARIANTS: usize = 512;

/// How long a world is watched. [`VARIANTS`] is a multiple of it.
const TICKS: usize = 64;

/// The world goes from minus to plus this, on both axes.
const EDGE: f32 = 60.0;

/// A line of chat has this length, or up to a word more.
const CHAT_LEN: usize = 105;
