//! A server that counts its connections, and what tests need around it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use nephoran_http::{Clients, Resolve, Settings};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;

pub(crate) type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;
type Handler = Arc<dyn Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync>;

/// No event of these tests takes long: a longer wait is a failure, not patience.
const AT_MOST: Duration = Duration::from_secs(20);

pub(crate) async fn soon<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(AT_MOST, event).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain: {what}"),
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    live: watch::Receiver<usize>,
    opened: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) async fn start<F, A>(handler: F) -> Server
    where
        F: Fn(Request<Incoming>) -> A + Send + Sync + 'static,
        A: Future<Output = Answer> + Send + 'static,
    {
        Server::start_with(None, Arc::new(move |request| Box::pin(handler(request)))).await
    }

    pub(crate) async fn start_tls(tls: TlsAcceptor) -> Server {
        Server::start_with(Some(tls), Arc::new(|_| Box::pin(async { text("secret") }))).await
    }

    async fn start_with(tls: Option<TlsAcceptor>, handler: Handler) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (count, live) = watch::channel(0);
        let (opened, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let server = Server { address, live, opened: Arc::clone(&opened), peak: Arc::clone(&peak) };
        tokio::spawn(async move {
            let count = Arc::new(count);
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                count.send_modify(|live| *live += 1);
                opened.fetch_add(1, Ordering::SeqCst);
                peak.fetch_max(*count.borrow(), Ordering::SeqCst);
                let (count, handler, tls) = (Arc::clone(&count), Arc::clone(&handler), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(tcp, handler).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(tcp).await {
                                serve(stream, handler).await;
                            }
                        }
                    }
                    count.send_modify(|live| *live -= 1);
                });
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Connections open now.
    pub(crate) fn live(&self) -> usize {
        *self.live.borrow()
    }

    /// Connections opened ever.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// The most at one time.
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Ordering::SeqCst)
    }

    pub(crate) async fn live_is(&self, wanted: usize) {
        let mut live = self.live.clone();
        soon("connections at the server", live.wait_for(|live| *live == wanted)).await.unwrap();
    }
}

async fn serve<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: T, handler: Handler) {
    let service = service_fn(move |request| {
        let answer = handler(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    // A client that goes away is part of the tests.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

pub(crate) fn text(body: impl Into<Bytes>) -> Answer {
    Response::new(Full::new(body.into()).map_err(|never| match never {}).boxed_unsync())
}

/// A body whose pieces come when the test sends them; it ends when the sender is dropped.
pub(crate) fn streamed() -> (mpsc::UnboundedSender<Bytes>, Answer) {
    let (pieces, comes) = mpsc::unbounded_channel();
    (pieces, Response::new(UnsyncBoxBody::new(Pieces(comes))))
}

struct Pieces(mpsc::UnboundedReceiver<Bytes>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

/// Answers every connection with the same bytes once its head was read, then closes.
pub(crate) async fn raw_server(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = answer.into();
    tokio::spawn(async move {
        loop {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let answer = answer.clone();
            tokio::spawn(async move {
                let _ = read_head(&mut tcp).await;
                let _ = tokio::io::AsyncWriteExt::write_all(&mut tcp, &answer).await;
            });
        }
    });
    address
}

pub(crate) async fn read_head(tcp: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tcp.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Names and their addresses, and how often each was asked for.
#[derive(Default)]
pub(crate) struct Table {
    names: HashMap<String, Vec<IpAddr>>,
    asked: Mutex<Vec<String>>,
}

impl Table {
    pub(crate) fn of(names: &[(&str, &str)]) -> Arc<Table> {
        let mut table = Table::default();
        for (name, address) in names {
            table.names.entry((*name).to_owned()).or_default().push(address.parse().unwrap());
        }
        Arc::new(table)
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Resolve for Table {
    fn resolve(&self, host: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let found = self.names.get(host).cloned().ok_or_else(|| io::Error::other("no such name"));
        Box::pin(async move { found })
    }
}

/// Loopback is allowed: that is where the servers are.
pub(crate) fn settings() -> Settings {
    Settings { allow: vec!["127.0.0.1".parse().unwrap()], ..Settings::default() }
}

pub(crate) fn clients(change: impl FnOnce(&mut Settings)) -> Clients {
    let mut settings = settings();
    change(&mut settings);
    Clients::new(settings).unwrap()
}

pub(crate) fn get(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).unwrap()
}
