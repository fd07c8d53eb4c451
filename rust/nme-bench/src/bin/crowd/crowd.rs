//! The clients and their frames.

use std::fs;
use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::client::{Buffers, Client, Shared};
use crate::tally::{self, STAMP_LEN};

/// What each client sends once per frame.
pub(crate) struct Traffic {
    /// 1 is the server, 0 everybody.
    target: Option<i32>,
    payload: Vec<u8>,
}

impl Traffic {
    /// `size` is the payload's, in bytes; it has room for the stamp at least.
    pub(crate) fn parse(name: &str, size: usize) -> Option<Self> {
        let target = match name {
            "none" => None,
            "server" => Some(1),
            "all" => Some(0),
            _ => return None,
        };
        // Not all alike, as compression would make nothing of it.
        let payload = (0..size.clamp(STAMP_LEN, 1024)).map(|index| (index * index % 61) as u8).collect();
        Some(Self { target, payload })
    }
}

/// A crowd of clients of one server.
pub(crate) struct Crowd {
    port: u16,
    traffic: Traffic,
    shared: Shared,
    buffers: Buffers,
    clients: Vec<Client>,
    start: Instant,
    /// Number of the next slice of time.
    slice: u64,
    /// Slices that came more than a frame late, and were left out.
    skipped: u64,
    sending: bool,
    marking: bool,
    marked_sent: u64,
    told_connected: bool,
    cpu_at_begin: Duration,
    begun: Duration,
    /// Share of a processor that the crowd used while it marked.
    load: f64,
}

impl Crowd {
    pub(crate) fn new(port: u16, traffic: Traffic, shared: Shared) -> Self {
        Self {
            port,
            traffic,
            shared,
            buffers: Buffers::new(),
            clients: Vec::new(),
            start: Instant::now(),
            slice: 0,
            skipped: 0,
            sending: false,
            marking: false,
            marked_sent: 0,
            told_connected: true,
            cpu_at_begin: Duration::ZERO,
            begun: Duration::ZERO,
            load: 0.0,
        }
    }

    /// Adds clients until there are `count`.
    pub(crate) fn grow(&mut self, count: usize) -> io::Result<()> {
        println!(r#"{{"event":"growing","clients":{count},"unix":{:.4}}}"#, unix_time());
        while self.clients.len() < count {
            // Ids of clients are 2 to 2^31-1; which does not matter.
            let id = 2 + (self.clients.len() as u32) * 524_287 % 2_147_000_000;
            self.clients.push(Client::new(id, self.port)?);
        }
        self.told_connected = false;
        Ok(())
    }

    /// Lets the traffic begin.
    pub(crate) fn send(&mut self) {
        self.sending = true;
    }

    /// Marks what is sent from now on, or ends that.
    pub(crate) fn set_marking(&mut self, marking: bool) {
        let (now, cpu) = (self.start.elapsed(), cpu_time());
        if self.marking && !marking {
            let seconds = (now - self.begun).as_secs_f64();
            self.load = (cpu.saturating_sub(self.cpu_at_begin)).as_secs_f64() / seconds.max(0.001);
        }
        self.marking = marking;
        self.begun = now;
        self.cpu_at_begin = cpu;
    }

    /// Waits for the next slice of time, and lets its clients have their frame.
    pub(crate) fn step(&mut self) {
        let due = SLICE * u32::try_from(self.slice).unwrap_or(u32::MAX);
        let now = self.start.elapsed();
        if now > due + SLICE * SLICES {
            let late = ((now - due).as_nanos() / SLICE.as_nanos()) as u64;
            self.skipped += late;
            self.slice += late;
        }
        let listens = self.sending && self.traffic.target == Some(0);
        loop {
            let wait = due.saturating_sub(self.start.elapsed());
            std::thread::sleep(if listens { wait.min(LISTEN_PAUSE) } else { wait });
            if listens {
                self.listen();
            }
            if self.start.elapsed() >= due {
                break;
            }
        }
        let first = (self.slice % u64::from(SLICES)) as usize;
        for index in (first..self.clients.len()).step_by(SLICES as usize) {
            self.frame(index);
        }
        self.slice += 1;
        if first == 0 && !self.told_connected && self.connected() == self.clients.len() {
            self.told_connected = true;
            println!(r#"{{"event":"connected","clients":{},"unix":{:.4}}}"#, self.clients.len(), unix_time());
        }
    }

    /// Lets all clients read, so that the latency is that of the server, and not of their own frames.
    fn listen(&mut self) {
        let now = self.start.elapsed();
        for client in &mut self.clients {
            client.receive(now, &mut self.shared, &mut self.buffers);
        }
    }

    fn frame(&mut self, index: usize) {
        let now = self.start.elapsed();
        let client = &mut self.clients[index];
        let Some(target) = self.traffic.target.filter(|_| self.sending) else {
            return client.frame(now, None, &mut self.shared, &mut self.buffers);
        };
        let marked = self.marking && client.is_connected();
        tally::stamp(&mut self.traffic.payload, marked, now);
        self.marked_sent += u64::from(marked);
        client.frame(now, Some((target, &self.traffic.payload)), &mut self.shared, &mut self.buffers);
    }

    fn connected(&self) -> usize {
        self.clients.iter().filter(|client| client.is_connected()).count()
    }

    /// Everything that was counted, as JSON.
    pub(crate) fn report(&self) -> String {
        let tally = &self.shared.tally;
        let latency =
            |share| tally.latency(share).map_or_else(|| "null".to_owned(), |msec| format!("{msec:.2}"));
        let fields = [
            ("event", r#""report""#.to_owned()),
            ("clients", self.clients.len().to_string()),
            ("connected", self.connected().to_string()),
            ("disconnected", tally.disconnected.to_string()),
            ("marked_sent", self.marked_sent.to_string()),
            ("marked_received", tally.marked.to_string()),
            ("unmarked_received", tally.unmarked.to_string()),
            ("joined_notices", tally.joined.to_string()),
            ("strange", tally.strange.to_string()),
            ("unsent", tally.unsent.to_string()),
            ("latency_p50", latency(0.5)),
            ("latency_p99", latency(0.99)),
            ("skipped", format!("{:.4}", self.skipped as f64 / (self.slice.max(1)) as f64)),
            ("load", format!("{:.3}", self.load)),
            (
                "life_load",
                format!("{:.3}", cpu_time().as_secs_f64() / self.start.elapsed().as_secs_f64().max(0.001)),
            ),
        ];
        let fields = fields.map(|(name, value)| format!(r#""{name}":{value}"#));
        format!("{{{}}}", fields.join(","))
    }
}

fn unix_time() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Processor time of this thread; zero where the system does not tell.
fn cpu_time() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

/// A frame, 1/60 s, is cut into so many slices.
const SLICES: u32 = 32;
const SLICE: Duration = Duration::from_nanos(1_000_000_000 / 60 / SLICES as u64);

/// Clients that time what comes look for it so often: how long it lay there is not to count for much.
const LISTEN_PAUSE: Duration = Duration::from_micros(50);
