//! What is simulated: both directions, and the seed of what is random.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::conditions::{self, CUT, Conditions, PRESET};
use super::presets::preset_names;
use super::value::Value;

/// The settings of the simulator. The default is off.
///
/// ```
/// use nme_driver::simulator::{Scope, Simulation, Value};
///
/// let mut simulation: Simulation = "mobile_4g, incoming.loss_percent=10".parse()?;
/// simulation.set(Scope::Outgoing, "delay_msec", &Value::Integer(300))?;
/// assert_eq!(
///     simulation.to_string(),
///     "outgoing delay_msec 300, jitter_msec 20, loss_percent 4; incoming delay_msec 100, jitter_msec 20, loss_percent 10"
/// );
/// # Ok::<(), nme_driver::simulator::SimulationError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Simulation {
    /// What happens to what this side sends.
    pub outgoing: Conditions,
    /// What happens to what this side receives.
    pub incoming: Conditions,
    /// What the random numbers depend on.
    pub seed: Option<i64>,
}

/// The directions that a setting is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Both of them.
    Both,
    /// What this side receives.
    Incoming,
    /// What this side sends.
    Outgoing,
}

/// What is wrong with a setting of the simulator.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum SimulationError {
    /// The name of a preset.
    #[error("{0} is no preset; use one of {names}", names = preset_names().collect::<Vec<_>>().join(", "))]
    UnknownPreset(Value),
    /// The name of a setting.
    #[error("there is no setting {}; use one of {names}", Value::Text(.0.clone()), names = conditions::key_names())]
    UnknownKey(String),
    /// A number.
    #[error("{key} must be a number from 0 to {max}, and is {value}")]
    Range {
        /// Its name.
        key: &'static str,
        /// The largest number.
        max: f64,
        /// What it was to be.
        value: Value,
    },
    /// What is no number.
    #[error("{CUT} must be true or false, and is {0}")]
    NoBool(Value),
    /// The seed.
    #[error("seed must be a whole number, and is {0}")]
    NoSeed(Value),
    /// The lengths of bursts.
    #[error("burst_min_msec must not be larger than burst_max_msec, and they are {min} and {max}")]
    BurstOrder {
        /// The shortest burst, in ms.
        min: f64,
        /// The longest burst, in ms.
        max: f64,
    },
}

impl Simulation {
    /// True when nothing happens.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.outgoing.is_off() && self.incoming.is_off()
    }

    /// Sets a value by its name. `preset` sets all that are not the seed's.
    ///
    /// # Errors
    /// There is no such name, or the value is of another kind, or out of its range.
    pub fn set(&mut self, scope: Scope, name: &str, value: &Value) -> Result<(), SimulationError> {
        if name == "seed" && scope == Scope::Both {
            let Value::Integer(seed) = value else { return Err(SimulationError::NoSeed(value.clone())) };
            self.seed = Some(*seed);
            return Ok(());
        }
        if scope != Scope::Incoming {
            self.outgoing.set(name, value)?;
        }
        if scope != Scope::Outgoing {
            self.incoming.set(name, value)?;
        }
        Ok(())
    }

    /// Whether the values go together.
    ///
    /// # Errors
    /// The shortest burst is longer than the longest.
    pub fn check(&self) -> Result<(), SimulationError> {
        self.outgoing.check()?;
        self.incoming.check()
    }
}

/// Presets and `name=value`, separated by commas; what comes later counts. `incoming.` or `outgoing.` before a name is for
/// that direction.
impl FromStr for Simulation {
    type Err = SimulationError;

    fn from_str(text: &str) -> Result<Self, SimulationError> {
        let mut simulation = Self::default();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            let (name, value) = match item.split_once('=') {
                Some((name, value)) => (name.trim(), Value::read(value.trim())),
                None => (PRESET, Value::Text(item.to_owned())),
            };
            let (scope, name) = if let Some(name) = name.strip_prefix("incoming.") {
                (Scope::Incoming, name)
            } else if let Some(name) = name.strip_prefix("outgoing.") {
                (Scope::Outgoing, name)
            } else {
                (Scope::Both, name)
            };
            simulation.set(scope, name, &value)?;
        }
        simulation.check()?;
        Ok(simulation)
    }
}

/// What is on.
impl fmt::Display for Simulation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.outgoing == self.incoming {
            write!(out, "{} in each direction", Listed(&self.outgoing))?;
        } else {
            write!(out, "outgoing {}; incoming {}", Listed(&self.outgoing), Listed(&self.incoming))?;
        }
        match self.seed {
            Some(seed) => write!(out, "; seed {seed}"),
            None => Ok(()),
        }
    }
}

struct Listed<'a>(&'a Conditions);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(conditions) = self;
        if conditions.is_off() {
            return write!(out, "off");
        }
        let mut separator = "";
        for ((name, value), (_, usual)) in conditions.numbers().zip(Conditions::OFF.numbers()) {
            if value != usual {
                write!(out, "{separator}{name} {value}")?;
                separator = ", ";
            }
        }
        if conditions.cut() { write!(out, "{separator}{CUT}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Simulation, SimulationError> {
        text.parse()
    }

    #[test]
    fn every_preset_has_a_name_and_only_off_is_off() {
        for name in preset_names() {
            let simulation = read(name).expect("a preset");
            assert_eq!(simulation.is_off(), name == "off", "{name}");
            assert_eq!(simulation.outgoing, simulation.incoming);
        }
        assert_eq!(read(""), Ok(Simulation::default()));
        let shown = read("mobile_4_5g").map(|simulation| simulation.to_string());
        assert_eq!(shown.as_deref(), Ok("delay_msec 80, jitter_msec 20, loss_percent 4 in each direction"));
    }

    #[test]
    fn what_comes_later_counts() {
        let simulation =
            read("loss_percent=3,home_fiber, outgoing.cut=true, delay_msec=0.5, seed=-7").expect("settings");
        assert_eq!(
            simulation.to_string(),
            "outgoing delay_msec 0.5, jitter_msec 1, cut; incoming delay_msec 0.5, jitter_msec 1; seed -7"
        );
        assert_eq!(read("cut=true").expect("a cut").to_string(), "cut in each direction");
    }

    #[test]
    fn errors_name_the_setting_and_its_range() {
        let error = |text| read(text).map_err(|problem| problem.to_string()).expect_err(text);
        assert!(error("mobile_6g").starts_with("\"mobile_6g\" is no preset; use one of off, home_fiber, "));
        assert!(error("preset=3").starts_with("3 is no preset; use one of off, "));
        assert!(
            error("lag=3").starts_with("there is no setting \"lag\"; use one of delay_msec, jitter_msec, ")
        );
        assert!(error("incoming.seed=3").starts_with("there is no setting \"seed\"; "));
        assert_eq!(error("loss_percent=101"), "loss_percent must be a number from 0 to 100, and is 101");
        assert_eq!(error("delay_msec=-1"), "delay_msec must be a number from 0 to 10000, and is -1");
        assert_eq!(error("delay_msec=NaN"), "delay_msec must be a number from 0 to 10000, and is NaN");
        assert_eq!(error("delay_msec=inf"), "delay_msec must be a number from 0 to 10000, and is inf");
        assert_eq!(
            error("rate_bytes_per_sec=x"),
            "rate_bytes_per_sec must be a number from 0 to 4294967295, and is \"x\""
        );
        assert_eq!(error("cut=1"), "cut must be true or false, and is 1");
        assert_eq!(error("seed=0.5"), "seed must be a whole number, and is 0.5");
        assert_eq!(
            error("burst_min_msec=2000"),
            "burst_min_msec must not be larger than burst_max_msec, and they are 2000 and 1000"
        );
    }
}
