//! Row S8: what is started and stopped leaves nothing behind.

use std::time::Duration;

use nephoran_worker::{Ended, Next, Scale};
use tokio::time::Instant;

use crate::{Does, publish, queue, start};

/// Open files, threads, resident KiB.
fn process() -> (usize, usize, usize) {
    let files = std::fs::read_dir("/proc/self/fd").unwrap().count();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let number = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap()
    };
    (files, number("Threads:"), number("VmRSS:"))
}

async fn cycles(number: usize) {
    let queue = queue();
    for cycle in 0..number {
        let work = Does::what(|key, context| async move {
            // Every second one is in the middle of something when the stop comes.
            if key % 2 == 1 {
                context.stop.cancelled().await;
            }
            Ended::new(Next::Done).with(key)
        });
        let pool = start(&queue, Scale::Upto(8), &work);
        publish(&queue, 0..8);
        while work.results.lock().unwrap().len() < 4 {
            tokio::task::yield_now().await;
        }
        let report = pool.shutdown(Instant::now() + Duration::from_secs(10)).await;
        assert_eq!(report.requeued, 0, "cycle {cycle}: {report:?}");
        let left = queue.depths().iter().sum::<usize>();
        assert_eq!(work.results.lock().unwrap().len() + left, 8, "cycle {cycle}");
        while let Some(delivery) = queue.try_claim() {
            delivery.ack();
        }
    }
}

/// Alone in a process of its own: the other tests of this binary open files and start threads.
#[test]
fn s8_after_1000_cycles_tasks_files_threads_and_memory_are_as_before() {
    const ALONE: &str = "NEPHORAN_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let name = "s8_leaks::s8_after_1000_cycles_tasks_files_threads_and_memory_are_as_before";
        let told = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(ALONE, "1")
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
        println!("{out}");
        assert!(told.status.success(), "{out}{err}");
        assert!(out.contains("after 1,000 cycles"), "the test ran in the process of its own: {out}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        // The allocator and the runtime have what they need after a few.
        cycles(100).await;
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let (tasks_before, (files_before, threads_before, memory_before)) = (tasks(), process());
        cycles(1000).await;
        let (files, threads, memory) = process();
        println!(
            "after 1,000 cycles: {} tasks (+{}), {files} files (+{}), {threads} threads (+{}), \
             {memory} KiB resident ({:+})",
            tasks(),
            tasks() - tasks_before,
            files - files_before,
            threads - threads_before,
            memory as i64 - memory_before as i64,
        );
        assert_eq!((tasks(), files, threads), (tasks_before, files_before, threads_before));
        // A page a cycle would be 4 MiB.
        assert!(memory < memory_before + 512, "{memory_before} KiB before, {memory} KiB after");
    });
}
