//! What the system says of this process. Linux tells it in `/proc`; elsewhere nothing is known.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Ticks a second of the times in `/proc`, on every architecture that we build for.
const TICKS_PER_SECOND: u64 = 100;

/// Fields of `/proc/self/stat` behind the program's name, counted from 0: time in user mode, time in the kernel, start.
const USER_TICKS: usize = 11;
const KERNEL_TICKS: usize = 12;
const START_TICKS: usize = 19;

/// Processor time that this process has used.
pub(super) fn processor_time() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    Some(ticks(field(&stat, USER_TICKS)? + field(&stat, KERNEL_TICKS)?))
}

/// Memory of this process that is in RAM, in bytes.
pub(super) fn resident_bytes() -> Option<u64> {
    resident(&fs::read_to_string("/proc/self/status").ok()?)
}

/// When this process began, in seconds since 1970; now, where the system does not say.
pub(super) fn started_seconds() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.saturating_sub(age().unwrap_or_default()).as_secs_f64()
}

/// How long ago this process began.
fn age() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let up = Duration::try_from_secs_f64(uptime.split_whitespace().next()?.parse().ok()?).ok()?;
    up.checked_sub(ticks(field(&stat, START_TICKS)?))
}

fn ticks(count: u64) -> Duration {
    Duration::from_millis(count * 1_000 / TICKS_PER_SECOND)
}

/// A number of `/proc/self/stat`. The program's name, which may hold anything, ends at the last parenthesis.
fn field(stat: &str, index: usize) -> Option<u64> {
    let (_, numbers) = stat.rsplit_once(')')?;
    numbers.split_whitespace().nth(index)?.parse().ok()
}

/// `VmRSS` of `/proc/self/status`, there in KiB.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes = line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?;
    Some(kibibytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_behind_the_name() {
        let stat = "42 (a) R (b) S 1 42 42 0 -1 4194304 101 0 0 0 250 50 0 0 20 0 7 0 436770 3133440 418 1 2 3";
        assert_eq!(field(stat, USER_TICKS), Some(250));
        assert_eq!(field(stat, KERNEL_TICKS), Some(50));
        assert_eq!(field(stat, START_TICKS), Some(436_770));
        assert_eq!(field(stat, 99), None);
        assert_eq!(ticks(300), Duration::from_secs(3));
    }

    #[test]
    fn memory_is_told_in_kibibytes() {
        assert_eq!(resident("VmHWM:\t    9000 kB\nVmRSS:\t    1840 kB\n"), Some(1_884_160));
        assert_eq!(resident("VmHWM:\t    9000 kB\n"), None);
    }
}
