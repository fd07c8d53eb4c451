//! A network that is made worse on purpose: `simulate`, `get_simulation`, the project setting and the argument.

use godot::classes::{Os, ProjectSettings};
use godot::global::Error;
use godot::obj::Singleton;
use godot::prelude::*;
use godot::register::info::PropertyHint;
use nme_core::session::PeerError;
use nme_driver::simulator::{Conditions, Scope, Simulation, SimulationError, Value, preset_names};
use thiserror::Error as ThisError;

use crate::class::NetworkedMultiplayerENet;
use crate::error::{self, Code, Inactive, OpenError};
use crate::shared::{Object, Settings, Shared};

#[godot_api(secondary)]
impl NetworkedMultiplayerENet {
    /// Makes the network worse on purpose, to see how a game does there: with delay, jitter, loss and more, in what this side
    /// sends and receives. Before [method create_server] or [method create_client] it is for the connections to come, and
    /// while one is open it begins at once. The log has a warning for each connection that is made worse.
    ///
    /// [param settings] is the name of a preset, such as [code]"mobile_4g"[/code], [code]"home_dsl"[/code] or
    /// [code]"unreal_bad"[/code]; [code]"off"[/code], the default, ends it. Or it is a [Dictionary] with what is to happen:
    ///
    /// - [code]delay_msec[/code] (0 to 10000), and [code]jitter_msec[/code] by which it varies;
    /// - [code]loss_percent[/code], [code]duplicate_percent[/code] and [code]reorder_percent[/code] of the datagrams;
    /// - [code]burst_interval_msec[/code], [code]burst_min_msec[/code] and [code]burst_max_msec[/code] for times in which all
    ///   is lost;
    /// - [code]rate_bytes_per_sec[/code], and [code]queue_msec[/code] in front of it;
    /// - [code]cut[/code]: nothing passes.
    ///
    /// [code]preset[/code] takes the rest from a preset, [code]seed[/code] makes the random numbers the same again, and the
    /// Dictionaries [code]outgoing[/code] and [code]incoming[/code] are for one direction. See
    /// [code]docs/simulator.md[/code] in the addon for all of them and the presets.
    ///
    /// With an [param id], it is for this peer only, until it leaves. With 0 it is for all, also for those that had
    /// something of their own.
    ///
    /// Returns [constant @GlobalScope.OK], or prints an error, changes nothing and returns
    ///
    /// - [constant @GlobalScope.ERR_INVALID_PARAMETER] for an unknown name, a value out of its range, and an id that nobody
    ///   with a connection to this side has;
    /// - [constant @GlobalScope.ERR_UNCONFIGURED] for an id without an open connection.
    ///
    /// ```gdscript
    /// peer.simulate("mobile_4g")
    /// peer.simulate({"delay_msec": 80, "loss_percent": 2, "outgoing": {"rate_bytes_per_sec": 20000}})
    /// ```
    ///
    /// The project setting [code]network/enet/simulation[/code] and the argument [code]-- --enet-sim=mobile_4g[/code] on the
    /// command line do the same without a line of code, in exported games, too. This method takes precedence over both, and
    /// the argument over the setting.
    #[func(gd_self)]
    fn simulate(this: impl Object, settings: Variant, #[opt(default = 0)] id: i64) -> Error {
        match this.shared().simulate(&settings, id) {
            Ok(()) => Error::OK,
            Err(problem) => error::report("simulate", &problem),
        }
    }

    /// Returns what the network is made to be like for the peer with this [param id], or with 0 for those without something
    /// of their own: an empty [Dictionary] when nothing is, and otherwise one that [method simulate] takes, with
    /// [code]incoming[/code], [code]outgoing[/code] and [code]seed[/code]. Without a connection it is what the next one begins
    /// with. Prints an error and returns an empty Dictionary for an id that nobody with a connection to this side has.
    ///
    /// ```gdscript
    /// peer.simulate("mobile_4g")
    /// print(peer.get_simulation().outgoing.delay_msec)  # 100.0
    /// ```
    #[func]
    fn get_simulation(&self, #[opt(default = 0)] id: i64) -> VarDictionary {
        self.shared.simulation(id).map_or_else(
            |problem| {
                error::complain("get_simulation", problem);
                VarDictionary::new()
            },
            |simulation| describe(&simulation),
        )
    }
}

impl Shared {
    fn simulate(&self, settings: &Variant, id: i64) -> Result<(), SimulateError> {
        let mut simulation = read(settings)?;
        simulation.seed.get_or_insert_with(random_seed);
        let mut state = self.lock();
        match &mut state.connection {
            Some(connection) => connection.simulate(id, simulation)?,
            None if id == 0 => {}
            None => return Err(Inactive.into()),
        }
        if id == 0 {
            state.settings.simulation = Some(simulation);
        }
        drop(state);
        let origin = Origin::Call.name();
        let for_id = format!("{origin} for id {id}");
        self.announce_simulation("simulate", if id == 0 { origin } else { &for_id }, &simulation);
        Ok(())
    }

    fn simulation(&self, id: i64) -> Result<Simulation, SimulateError> {
        let state = self.lock();
        if let Some(connection) = &state.connection {
            return Ok(connection.simulation(id)?);
        }
        let chosen = state.settings.simulation;
        drop(state);
        if id != 0 {
            return Err(Inactive.into());
        }
        Ok(match chosen {
            Some(simulation) => simulation,
            None => from_outside().map_err(|(_, problem)| problem)?.0,
        })
    }

    /// Says what a connection has begun with.
    pub(crate) fn announce_beginning(&self, call: &str) {
        let state = self.lock();
        let simulation = state.connection.as_ref().and_then(|connection| connection.simulation(0).ok());
        let is_chosen = state.settings.simulation.is_some();
        drop(state);
        if let Some(simulation) = simulation.filter(|simulation| !simulation.is_off()) {
            let from_outside = || from_outside().map_or(Origin::Call, |(_, origin)| origin);
            let origin = if is_chosen { Origin::Call } else { from_outside() };
            self.announce_simulation(call, origin.name(), &simulation);
        }
    }

    /// Says once for each connection that its network is made worse, so that nobody takes that for the real one.
    fn announce_simulation(&self, call: &str, origin: &str, simulation: &Simulation) {
        let mut state = self.lock();
        let is_due = state.connection.is_some()
            && !simulation.is_off()
            && state.simulation_announced != state.generation;
        if is_due {
            state.simulation_announced = state.generation;
        }
        drop(state);
        if is_due {
            let text = format!("the network simulator is ON, by {origin}: {simulation}");
            error::warn(call, text);
        }
    }
}

impl Settings {
    /// What the next connection begins with.
    pub(crate) fn initial_simulation(&self) -> Result<Simulation, OpenError> {
        if let Some(simulation) = self.simulation {
            return Ok(simulation);
        }
        let (mut simulation, _) = from_outside()
            .map_err(|(origin, problem)| OpenError::Simulation { origin: origin.name(), problem })?;
        simulation.seed.get_or_insert_with(random_seed);
        Ok(simulation)
    }
}

/// Puts the project setting into the editor's list.
pub(crate) fn register_setting() {
    let mut settings = ProjectSettings::singleton();
    if !settings.has_setting(SETTING) {
        settings.set_setting(SETTING, &OFF.to_variant());
    }
    settings.set_initial_value(SETTING, &OFF.to_variant());
    settings.set_as_basic(SETTING, true);
    let presets = preset_names().collect::<Vec<_>>().join(",");
    let description = vdict! {
        "name" => SETTING,
        "type" => VariantType::STRING,
        "hint" => PropertyHint::ENUM_SUGGESTION,
        "hint_string" => presets,
    };
    settings.add_property_info(&description.upcast_any_dictionary());
}

/// Who has asked for a simulation.
#[derive(Clone, Copy)]
enum Origin {
    Call,
    Argument,
    Setting,
}

impl Origin {
    const fn name(self) -> &'static str {
        match self {
            Self::Call => "simulate()",
            Self::Argument => "the argument --enet-sim",
            Self::Setting => "the project setting network/enet/simulation",
        }
    }
}

/// What command line and project ask for: the last argument that does, or the setting.
fn from_outside() -> Result<(Simulation, Origin), (Origin, SimulationError)> {
    let arguments = Os::singleton().get_cmdline_user_args();
    let argument = arguments.as_slice().iter().rev().map(GString::to_string);
    let argument = argument.into_iter().find_map(|each| each.strip_prefix(ARGUMENT).map(str::to_owned));
    let (text, origin) = match argument {
        Some(text) => (text, Origin::Argument),
        None => {
            let value = ProjectSettings::singleton().get_setting_with_override(SETTING);
            (value.try_to::<GString>().unwrap_or_default().to_string(), Origin::Setting)
        }
    };
    text.parse().map(|simulation| (simulation, origin)).map_err(|problem| (origin, problem))
}

/// Reads what a script has written.
fn read(settings: &Variant) -> Result<Simulation, SimulateError> {
    if let Value::Text(text) = value_of(settings) {
        return Ok(text.parse()?);
    }
    let Ok(settings) = settings.try_to::<AnyDictionary>() else {
        return Err(SimulateError::Settings(value_of(settings)));
    };
    let mut simulation = Simulation::default();
    fill(&mut simulation, Scope::Both, &settings)?;
    for (name, scope) in DIRECTIONS {
        if let Some(direction) = settings.get(name) {
            let Ok(direction) = direction.try_to::<AnyDictionary>() else {
                return Err(SimulateError::Direction(name, value_of(&direction)));
            };
            fill(&mut simulation, scope, &direction)?;
        }
    }
    simulation.check()?;
    Ok(simulation)
}

/// Sets everything that has a name of its own: first the preset, whatever its place.
fn fill(simulation: &mut Simulation, scope: Scope, settings: &AnyDictionary) -> Result<(), SimulateError> {
    if let Some(preset) = settings.get(PRESET) {
        simulation.set(scope, PRESET, &value_of(&preset))?;
    }
    for (name, value) in settings.iter_shared() {
        let Value::Text(name) = value_of(&name) else { return Err(SimulateError::Name(value_of(&name))) };
        let is_direction = scope == Scope::Both && DIRECTIONS.iter().any(|(direction, _)| *direction == name);
        if name != PRESET && !is_direction {
            simulation.set(scope, &name, &value_of(&value))?;
        }
    }
    Ok(())
}

/// A Dictionary from which [`read`] makes the same.
fn describe(simulation: &Simulation) -> VarDictionary {
    let mut described = VarDictionary::new();
    if simulation.is_off() {
        return described;
    }
    let direction = |conditions: &Conditions| {
        let mut described = VarDictionary::new();
        conditions.numbers().for_each(|(name, value)| described.set(name, value));
        described.set("cut", conditions.cut());
        described
    };
    described.set("incoming", &direction(&simulation.incoming));
    described.set("outgoing", &direction(&simulation.outgoing));
    simulation.seed.into_iter().for_each(|seed| described.set("seed", seed));
    described
}

fn value_of(variant: &Variant) -> Value {
    match variant.get_type() {
        VariantType::BOOL => variant.try_to().map(Value::Bool),
        VariantType::INT => variant.try_to().map(Value::Integer),
        VariantType::FLOAT => variant.try_to().map(Value::Float),
        VariantType::STRING | VariantType::STRING_NAME => {
            variant.try_to_relaxed::<GString>().map(|text| Value::Text(text.to_string()))
        }
        other => return Value::Other(format!("of type {other:?}")),
    }
    // What has a type can be converted to it.
    .unwrap_or_else(|_| Value::Other("nothing".to_owned()))
}

/// Short enough to be typed off a log.
fn random_seed() -> i64 {
    // Without random numbers there is no connection either.
    getrandom::u32().unwrap_or_default().into()
}

/// Why nothing is simulated.
#[derive(Debug, ThisError)]
enum SimulateError {
    #[error("settings must be the name of a preset or a Dictionary, and is {0}")]
    Settings(Value),
    #[error("{0} must be a Dictionary, and is {1}")]
    Direction(&'static str, Value),
    #[error("the names of settings must be texts, and one is {0}")]
    Name(Value),
    #[error(transparent)]
    Setting(#[from] SimulationError),
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error(transparent)]
    Inactive(#[from] Inactive),
}

impl Code for SimulateError {
    fn code(&self) -> Error {
        match self {
            Self::Settings(_) | Self::Direction(..) | Self::Name(_) | Self::Setting(_) => {
                Error::ERR_INVALID_PARAMETER
            }
            Self::Peer(problem) => problem.code(),
            Self::Inactive(problem) => problem.code(),
        }
    }
}

const SETTING: &str = "network/enet/simulation";

const ARGUMENT: &str = "--enet-sim=";

const OFF: &str = "off";

const PRESET: &str = "preset";

const DIRECTIONS: [(&str, Scope); 2] = [("incoming", Scope::Incoming), ("outgoing", Scope::Outgoing)];
