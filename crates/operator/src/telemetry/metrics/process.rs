//! What this process takes of the machine, read from /proc/self at each scrape.

use std::sync::OnceLock;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::out::Out;

/// Says how many bytes are allocated; an allocator belongs to a program, not to a library.
static ALLOCATED: OnceLock<fn() -> usize> = OnceLock::new();

/// The program counts what it allocates: `allocated` says how much that is now.
pub fn count_allocated(allocated: fn() -> usize) {
    // A program has one allocator: a second call can only say the same.
    let _ = ALLOCATED.set(allocated);
}

#[derive(Debug)]
pub(super) struct Process;

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Numbers {
    pub(super) resident_bytes: u64,
    pub(super) open_fds: u64,
    pub(super) max_fds: u64,
    pub(super) threads: u64,
    pub(super) cpu_seconds: f64,
}

/// What cannot be read stays 0: a scrape never fails over it.
pub(super) fn numbers() -> Numbers {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let status = read("/proc/self/status");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let limits = read("/proc/self/limits");
    let max_fds = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|line| line.split_whitespace().next()?.parse().ok());
    // The name in parentheses may hold spaces; after it come the fields from the third on.
    let stat = read("/proc/self/stat");
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Numbers {
        resident_bytes: field("VmRSS:").unwrap_or(0) * 1024,
        // The listing itself holds one.
        open_fds: std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count().saturating_sub(1))
            as u64,
        max_fds: max_fds.unwrap_or(0),
        threads: field("Threads:").unwrap_or(0),
        // USER_HZ is 100 on every Linux that we build for.
        cpu_seconds: ticks as f64 / 100.0,
    }
}

impl Collector for Process {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let mut out = Out::new(encoder);
        let numbers = numbers();
        let gauges = [
            ("nephoran_process_resident_bytes", "Memory in use", numbers.resident_bytes),
            ("nephoran_process_open_fds", "Open files", numbers.open_fds),
            ("nephoran_process_threads", "Threads", numbers.threads),
            // What the contract has no name for goes by the name that every Prometheus client gives it.
            ("process_max_fds", "Files that may be open", numbers.max_fds),
        ];
        for (name, help, value) in gauges {
            out.gauge(name, help, i64::try_from(value).unwrap_or(i64::MAX))?;
        }
        if let Some(allocated) = ALLOCATED.get() {
            let bytes = i64::try_from(allocated()).unwrap_or(i64::MAX);
            out.gauge("nephoran_allocated_bytes", "Memory handed out by the allocator", bytes)?;
        }
        out.sum("process_cpu_seconds", "Processor time, user and system", numbers.cpu_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_process_takes_memory_files_and_threads() {
        let numbers = numbers();
        assert!(numbers.resident_bytes > 500_000, "{numbers:?}");
        assert!(numbers.open_fds >= 3 && numbers.threads >= 1 && numbers.max_fds > 3, "{numbers:?}");
    }
}
