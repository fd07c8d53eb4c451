//! Networks with names.

use super::SimulationError;
use super::conditions::Conditions;
use super::value::Value;

/// What it is like in each direction: its name, delay in ms, jitter in ms, and loss in percent.
type Preset = (&'static str, f64, f64, f64);

/// The preset of this name.
pub(super) fn find(name: &Value) -> Result<Conditions, SimulationError> {
    let unknown = || SimulationError::UnknownPreset(name.clone());
    let Value::Text(text) = name else { return Err(unknown()) };
    let found = PRESETS.iter().find(|(name, ..)| name == text).ok_or_else(unknown)?;
    let mut conditions = Conditions::OFF;
    (_, conditions.delay_msec, conditions.jitter_msec, conditions.loss_percent) = *found;
    Ok(conditions)
}

/// The names of all presets.
pub fn preset_names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, ..)| *name)
}

/// Those from `home_fiber` to `mobile_5g` have the numbers of Unity's Multiplayer Tools, and the last two those of Unreal
/// Engine: 30 to 60 and 100 to 200 ms.
const PRESETS: [Preset; 18] = [
    ("off", 0.0, 0.0, 0.0),
    ("home_fiber", 10.0, 1.0, 0.0),
    ("home_cable", 25.0, 5.0, 0.0),
    ("home_dsl", 30.0, 10.0, 0.0),
    ("home_broadband", 32.0, 12.0, 2.0),
    ("satellite_leo", 100.0, 10.0, 0.0),
    ("congested", 50.0, 50.0, 1.0),
    ("mobile_2g", 520.0, 50.0, 7.0),
    ("mobile_2_5g", 480.0, 40.0, 7.0),
    ("mobile_2_75g", 440.0, 40.0, 7.0),
    ("mobile_3g", 360.0, 30.0, 7.0),
    ("mobile_3_5g", 160.0, 30.0, 6.0),
    ("mobile_3_75g", 130.0, 30.0, 6.0),
    ("mobile_4g", 100.0, 20.0, 4.0),
    ("mobile_4_5g", 80.0, 20.0, 4.0),
    ("mobile_5g", 30.0, 20.0, 4.0),
    ("unreal_average", 45.0, 15.0, 1.0),
    ("unreal_bad", 150.0, 50.0, 5.0),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// What users read.
    const PAGE: &str = include_str!("../../../../addons/networked_multiplayer_enet/docs/simulator.md");

    #[test]
    fn the_page_has_every_preset_with_its_numbers() {
        for (name, delay, jitter, loss) in PRESETS {
            let shown = match name {
                "off" => format!("| `{name}` | 0 | 0 | 0 |"),
                _ if name.starts_with("unreal") => {
                    format!("| `{name}` | {} to {} | | {loss} |", delay - jitter, delay + jitter)
                }
                _ => format!("| `{name}` | {delay} | ±{jitter} | {loss} |"),
            };
            assert!(PAGE.contains(&shown), "{shown}");
        }
    }

    #[test]
    fn the_page_has_every_setting_with_its_range_and_default() {
        assert!(PAGE.contains("| `burst_min_msec`, `burst_max_msec` | 60000 | 0, 1000 |"));
        let row = |name: &str| PAGE.lines().find(|line| line.starts_with(&format!("| `{name}`")));
        for (name, usual) in Conditions::OFF.numbers().filter(|(name, _)| !name.starts_with("burst_m")) {
            let mut conditions = Conditions::OFF;
            let Err(SimulationError::Range { max, .. }) = conditions.set(name, &Value::Float(f64::INFINITY))
            else {
                panic!("{name} has no largest value");
            };
            let wanted = format!("| `{name}` | {max} | {usual} |");
            assert!(row(name).is_some_and(|row| row.starts_with(&wanted)), "{wanted}");
        }
    }
}
