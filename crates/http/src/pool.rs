//! Places and connections of one host, and what they do.
//!
//! A request takes a place at the gate and keeps it until its body ended. Only a request with a place may dial, and
//! it dials only when no idle connection is left, in the open: no dial goes on behind its back that would open a
//! connection nobody asked for. A pool that lets a dial race with a connection that comes free (as the ready-made
//! one does) goes over the cap by what lost the race, or fills up with connections that nobody waits for.
//!
//! A second count goes with the connection itself and ends when its socket is closed: one that is being closed still
//! counts, so the other side never sees more than the cap.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::{io, mem};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::profile::Numbers;

/// What the connections to one host do, counted at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostGauge {
    /// Host and port.
    pub host: String,
    pub open: usize,
    pub in_use: usize,
    pub idle: usize,
}

/// The hosts of one profile.
pub(crate) struct Pool {
    numbers: Numbers,
    /// Idle connections of all hosts.
    kept: Arc<AtomicUsize>,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

impl Pool {
    pub(crate) fn new(numbers: Numbers) -> Pool {
        Pool { numbers, kept: Arc::default(), hosts: Mutex::default() }
    }

    /// `key` tells schemes and ways apart, `label` is shown.
    pub(crate) fn host(&self, key: &str, label: &str) -> Arc<Host> {
        let mut hosts = lock(&self.hosts);
        if let Some(host) = hosts.get(key) {
            return Arc::clone(host);
        }
        let host = Arc::new(Host::new(label, &self.numbers, Arc::clone(&self.kept)));
        hosts.insert(key.to_owned(), Arc::clone(&host));
        host
    }

    pub(crate) fn gauges(&self) -> Vec<HostGauge> {
        lock(&self.hosts).values().map(|host| host.gauge()).collect()
    }
}

pub(crate) struct Host {
    label: String,
    gate: Arc<Semaphore>,
    sockets: Arc<Sockets>,
    shelf: Mutex<Shelf>,
    kept: Arc<AtomicUsize>,
    numbers: Numbers,
}

/// Idle connections, the longest idle first.
#[derive(Default)]
struct Shelf {
    idle: VecDeque<(Conn, Instant)>,
    swept: bool,
}

impl Host {
    fn new(label: &str, numbers: &Numbers, kept: Arc<AtomicUsize>) -> Host {
        let cap = numbers.connections_per_host.get();
        Host {
            label: label.to_owned(),
            gate: Arc::new(Semaphore::new(cap)),
            sockets: Arc::new(Sockets::new(cap)),
            shelf: Mutex::default(),
            kept,
            numbers: numbers.clone(),
        }
    }

    /// Waits for a place.
    pub(crate) async fn enter(self: &Arc<Self>) -> Lease {
        let gate = Arc::clone(&self.gate);
        let place = gate.acquire_owned().await.expect("the gate is never closed");
        Lease { conn: None, host: Arc::clone(self), _place: place }
    }

    /// Waits until a new connection may be opened: at once, unless one is being closed.
    pub(crate) async fn socket(&self) -> Socket {
        let permit = Arc::clone(&self.sockets.left).acquire_owned().await.expect("it is never closed");
        let id = self.sockets.next.fetch_add(1, Ordering::Relaxed);
        Socket { sockets: Arc::clone(&self.sockets), id, _permit: permit }
    }

    fn take(&self) -> Option<Conn> {
        let mut shelf = lock(&self.shelf);
        while let Some((conn, _)) = shelf.idle.pop_back() {
            self.kept.fetch_sub(1, Ordering::Relaxed);
            if !conn.sender.is_closed() {
                conn.use_is(true);
                return Some(conn);
            }
        }
        None
    }

    fn put(self: &Arc<Self>, conn: Conn) {
        if conn.sender.is_closed() {
            return;
        }
        // Without a runtime nobody would sweep it.
        let Ok(runtime) = Handle::try_current() else { return };
        let mut shelf = lock(&self.shelf);
        self.drop_dead(&mut shelf);
        let full = shelf.idle.len() >= self.numbers.idle_per_host
            || self.kept.load(Ordering::Relaxed) >= self.numbers.idle;
        if full {
            return;
        }
        self.kept.fetch_add(1, Ordering::Relaxed);
        conn.use_is(false);
        shelf.idle.push_back((conn, Instant::now()));
        if !mem::replace(&mut shelf.swept, true) {
            runtime.spawn(sweep(Arc::downgrade(self), Instant::now() + self.numbers.idle_timeout));
        }
    }

    fn drop_dead(&self, shelf: &mut Shelf) {
        let before = shelf.idle.len();
        shelf.idle.retain(|(conn, _)| !conn.sender.is_closed());
        self.kept.fetch_sub(before - shelf.idle.len(), Ordering::Relaxed);
    }

    /// Closes what was idle too long; says when to look again, or that nothing is left.
    fn close_old(&self) -> Option<Instant> {
        let mut shelf = lock(&self.shelf);
        self.drop_dead(&mut shelf);
        let now = Instant::now();
        while let Some((_, since)) = shelf.idle.front() {
            let end = *since + self.numbers.idle_timeout;
            if end > now {
                return Some(end);
            }
            shelf.idle.pop_front();
            self.kept.fetch_sub(1, Ordering::Relaxed);
        }
        shelf.swept = false;
        None
    }

    fn gauge(&self) -> HostGauge {
        let sockets = lock(&self.sockets.open);
        let open = sockets.len();
        let in_use = sockets.values().filter(|in_use| **in_use).count();
        HostGauge { host: self.label.clone(), open, in_use, idle: open - in_use }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let idle = lock(&self.shelf).idle.len();
        self.kept.fetch_sub(idle, Ordering::Relaxed);
    }
}

/// Lives as long as a host has idle connections. Holds nothing of the host while it sleeps.
async fn sweep(host: Weak<Host>, first: Instant) {
    let mut next = first;
    loop {
        tokio::time::sleep_until(next).await;
        let Some(host) = host.upgrade() else { return };
        match host.close_old() {
            Some(end) => next = end,
            None => return,
        }
    }
}

/// A place at a host, and the connection used there.
pub(crate) struct Lease {
    // Before the place: the connection is given up first.
    conn: Option<Conn>,
    host: Arc<Host>,
    _place: OwnedSemaphorePermit,
}

impl Lease {
    /// An idle connection becomes ours, if there is one.
    pub(crate) fn take_idle(&mut self) -> bool {
        self.conn = self.host.take();
        self.conn.is_some()
    }

    pub(crate) fn hold(&mut self, conn: Conn) {
        self.conn = Some(conn);
    }

    pub(crate) fn sender(&mut self) -> &mut SendRequest<Full<Bytes>> {
        &mut self.conn.as_mut().expect("a connection is held before anything is sent").sender
    }

    pub(crate) fn give_up(&mut self) {
        self.conn = None;
    }

    /// The answer was read to its end: the next request may have the connection.
    pub(crate) fn give_back(mut self) {
        if let Some(conn) = self.conn.take() {
            self.host.put(conn);
        }
    }
}

/// One connection. Dropped, it is closed at once.
pub(crate) struct Conn {
    sender: SendRequest<Full<Bytes>>,
    driver: AbortHandle,
    sockets: Arc<Sockets>,
    id: u64,
}

impl Conn {
    pub(crate) fn new(sender: SendRequest<Full<Bytes>>, driver: AbortHandle, socket: &SocketId) -> Conn {
        Conn { sender, driver, sockets: Arc::clone(&socket.sockets), id: socket.id }
    }

    fn use_is(&self, in_use: bool) {
        if let Some(entry) = lock(&self.sockets.open).get_mut(&self.id) {
            *entry = in_use;
        }
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Every open socket of a host, and whether a request has it.
struct Sockets {
    left: Arc<Semaphore>,
    next: AtomicU64,
    open: Mutex<HashMap<u64, bool>>,
}

impl Sockets {
    fn new(cap: usize) -> Sockets {
        Sockets { left: Arc::new(Semaphore::new(cap)), next: AtomicU64::new(0), open: Mutex::default() }
    }
}

/// The right to open one socket; goes with it and ends with it.
pub(crate) struct Socket {
    sockets: Arc<Sockets>,
    id: u64,
    _permit: OwnedSemaphorePermit,
}

pub(crate) struct SocketId {
    sockets: Arc<Sockets>,
    id: u64,
}

impl Socket {
    pub(crate) fn id(&self) -> SocketId {
        SocketId { sockets: Arc::clone(&self.sockets), id: self.id }
    }

    /// Counts `io` from now on until it is dropped.
    pub(crate) fn count<T>(self, io: T) -> Counted<T> {
        lock(&self.sockets.open).insert(self.id, true);
        Counted { io, _socket: self }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        lock(&self.sockets.open).remove(&self.id);
    }
}

/// A connection's IO that counts, and does nothing else.
pub(crate) struct Counted<T> {
    // Before the socket's count: it is closed when the count goes down.
    io: T,
    _socket: Socket,
}

impl<T: Connection> Connection for Counted<T> {
    fn connected(&self) -> Connected {
        self.io.connected()
    }
}

impl<T: Read + Unpin> Read for Counted<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<T: Write + Unpin> Write for Counted<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, data)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
