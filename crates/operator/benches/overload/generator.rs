//! Sends what was planned, when it was planned, whatever becomes of it: one pinned thread.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

use super::schedule::{IDENTITIES, Planned};

/// What became of one request.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    /// How much later than planned it was sent.
    pub late: Duration,
    /// 0 when nobody answered.
    pub status: u16,
    /// From the moment it was planned for to the end of the answer.
    pub latency: Duration,
    /// Of what was accepted.
    pub id: Option<String>,
}

pub struct Generated {
    pub sent: Vec<Sent>,
    /// Share of a core.
    pub cpu: f64,
}

/// Answers to what was sent last may take so long.
const LINGER: Duration = Duration::from_secs(3);

struct State {
    sent: Vec<Sent>,
    planned: Vec<Instant>,
    open: usize,
}

type Waiting = Rc<RefCell<VecDeque<usize>>>;

/// On this thread, pinned to one core; `start` is when the plan begins.
pub fn generate(address: SocketAddr, plan: &[Planned], start: std::time::Instant) -> Generated {
    pin();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime needs threads and nothing else");
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let start = Instant::from_std(start);
        let state = Rc::new(RefCell::new(State {
            sent: vec![Sent::default(); plan.len()],
            planned: plan.iter().map(|planned| start + planned.at).collect(),
            open: 0,
        }));
        let mut connections = Vec::with_capacity(IDENTITIES);
        for identity in 0..IDENTITIES {
            connections.push(connect(address, identity, &state).await);
        }
        assert!(Instant::now() < start, "the connections took longer than was planned for");
        tokio::time::sleep_until(start).await;
        let (begun, spent) = (Instant::now(), thread_time());
        let mut next = 0;
        while next < plan.len() {
            tokio::time::sleep_until(start + plan[next].at).await;
            while next < plan.len() && start + plan[next].at <= Instant::now() {
                let planned = &plan[next];
                let (write, waiting, closed) = &mut connections[planned.identity];
                if *closed.borrow() {
                    connections[planned.identity] = connect(address, planned.identity, &state).await;
                    continue;
                }
                state.borrow_mut().sent[next].late = (start + planned.at).elapsed();
                waiting.borrow_mut().push_back(next);
                // A request is far smaller than the buffer of an idle connection.
                match write.try_write(&planned.bytes) {
                    Ok(written) if written == planned.bytes.len() => state.borrow_mut().open += 1,
                    _ => {
                        waiting.borrow_mut().pop_back();
                        *closed.borrow_mut() = true;
                    }
                }
                next += 1;
            }
            // Answers are read between two bursts, not only when nothing is due.
            tokio::task::yield_now().await;
        }
        let sending = begun.elapsed();
        let cpu = (thread_time() - spent).as_secs_f64() / sending.as_secs_f64();
        let end = Instant::now() + LINGER;
        while state.borrow().open > 0 && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let sent = std::mem::take(&mut state.borrow_mut().sent);
        Generated { sent, cpu }
    })
}

type Connection = (OwnedWriteHalf, Waiting, Rc<RefCell<bool>>);

async fn connect(address: SocketAddr, identity: usize, state: &Rc<RefCell<State>>) -> Connection {
    let socket = TcpSocket::new_v4().expect("the system gives sockets");
    let from = Ipv4Addr::new(127, 1, (identity / 250) as u8, 1 + (identity % 250) as u8);
    socket.bind(SocketAddr::new(IpAddr::V4(from), 0)).expect("all of 127.0.0.0/8 is the loopback");
    let stream: TcpStream = socket.connect(address).await.expect("the operator listens");
    stream.set_nodelay(true).expect("a TCP socket");
    let (read, write) = stream.into_split();
    let waiting = Waiting::default();
    let closed = Rc::new(RefCell::new(false));
    tokio::task::spawn_local(answers(read, waiting.clone(), closed.clone(), state.clone()));
    (write, waiting, closed)
}

/// Reads the answers of one connection, in the order of its requests.
async fn answers(
    mut read: OwnedReadHalf,
    waiting: Waiting,
    closed: Rc<RefCell<bool>>,
    state: Rc<RefCell<State>>,
) {
    let mut buffer: Vec<u8> = Vec::with_capacity(2048);
    loop {
        match read.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        while let Some((status, body, length)) = answer(&buffer) {
            let Some(index) = waiting.borrow_mut().pop_front() else { break };
            let id = (status == 202 || status == 200).then(|| id(&buffer[body..length])).flatten();
            let mut state = state.borrow_mut();
            let latency = state.planned[index].elapsed();
            let sent = &mut state.sent[index];
            (sent.status, sent.latency, sent.id) = (status, latency, id);
            state.open -= 1;
            buffer.drain(..length);
        }
    }
    *closed.borrow_mut() = true;
    state.borrow_mut().open -= waiting.borrow().len();
}

/// Status, where the body begins, where the answer ends; when it is whole.
fn answer(buffer: &[u8]) -> Option<(u16, usize, usize)> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).ok()?;
    let status = text.get(9..12)?.parse().ok()?;
    let length: usize = text
        .lines()
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        })
        .unwrap_or(0);
    (buffer.len() >= head + length).then_some((status, head, head + length))
}

fn id(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once("\"id\":\"")?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// To the last core that this process may use.
fn pin() {
    let mut all = rustix::thread::sched_getaffinity(None).expect("Linux says where a thread may run");
    let last = (0..rustix::thread::CpuSet::MAX_CPU).rev().find(|core| all.is_set(*core));
    all.clear();
    all.set(last.expect("it runs somewhere"));
    rustix::thread::sched_setaffinity(None, &all).expect("a part of where it may run");
}

fn thread_time() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32)
}
