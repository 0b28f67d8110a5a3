//! Bodies: how large, how packed.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use nephoran_http::{Call, Kind, Profile};

use crate::support::{Answer, Server, clients, get, raw_server, soon, streamed, text};

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn packed(body: impl Into<Bytes>, encoding: &str) -> Answer {
    let mut answer = text(body);
    answer.headers_mut().insert("content-encoding", encoding.parse().unwrap());
    answer
}

async fn outcome(url: &str, limit: usize) -> Result<Bytes, Kind> {
    let clients = clients(|_| {});
    let call = Call { body_limit: limit, ..Call::default() };
    let response = clients.get(Profile::Default).send(get(url), call).await.map_err(|fault| fault.kind())?;
    response.into_body().collect().await.map_err(|fault| fault.kind())
}

#[tokio::test]
async fn a_body_over_its_limit_is_cut_whether_announced_or_not() {
    let announced = Server::start(|_| async { text(vec![b'a'; 1001]) }).await;
    assert_eq!(outcome(&announced.url(), 1000).await, Err(Kind::TooLarge));
    assert_eq!(outcome(&announced.url(), 1001).await.unwrap().len(), 1001);

    let endless = Server::start(|_| async {
        let (pieces, answer) = streamed();
        tokio::spawn(async move {
            while pieces.send(vec![b'a'; 64].into()).is_ok() {
                tokio::task::yield_now().await;
            }
        });
        answer
    })
    .await;
    assert_eq!(outcome(&endless.url(), 1000).await, Err(Kind::TooLarge));
    endless.live_is(0).await;
}

#[tokio::test]
async fn gzip_is_asked_for_and_unpacked() {
    let server = Server::start(|request| async move {
        match request.headers().get("accept-encoding") {
            Some(accepted) => {
                assert_eq!(accepted, "gzip");
                packed(gzip(&[b'a'; 5000]), "gzip")
            }
            None => text("as it is"),
        }
    })
    .await;
    assert_eq!(outcome(&server.url(), 5000).await.unwrap(), vec![b'a'; 5000]);

    let clients = clients(|_| {});
    let plain = Call { packed: false, ..Call::default() };
    let response = clients.get(Profile::Default).send(get(&server.url()), plain).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap(), "as it is");
    assert_eq!(server.opened(), 2, "one connection each");
}

#[tokio::test]
async fn a_gzip_bomb_is_cut_at_the_limit_of_what_is_unpacked() {
    let bomb = gzip(&vec![0; 64 * 1024 * 1024]);
    assert!(bomb.len() < 100_000, "small on the wire: {}", bomb.len());
    let server = Server::start(move |_| {
        let bomb = bomb.clone();
        async { packed(bomb, "gzip") }
    })
    .await;
    assert_eq!(outcome(&server.url(), 1024 * 1024).await, Err(Kind::TooLarge));
    server.live_is(0).await;
}

#[tokio::test]
async fn packed_pieces_come_out_as_they_come_in() {
    let server = Server::start(|_| async {
        let (pieces, mut answer) = streamed();
        answer.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"event 1\n").unwrap();
        encoder.flush().unwrap();
        pieces.send(encoder.get_ref().clone().into()).unwrap();
        // The rest never comes.
        tokio::spawn(async move { pieces.closed().await });
        answer
    })
    .await;
    let clients = clients(|_| {});
    let response = clients.get(Profile::Default).send(get(&server.url()), Call::default()).await.unwrap();
    let first = soon("the first event", response.into_body().chunk()).await.unwrap().unwrap();
    assert_eq!(first, "event 1\n");
}

#[tokio::test]
async fn a_broken_answer_is_named_and_never_taken_for_a_short_one() {
    let mut cut = gzip(&[b'a'; 5000]);
    cut.truncate(cut.len() - 9);
    let server = Server::start(move |request| {
        let cut = cut.clone();
        async move {
            match request.uri().path() {
                "/cut" => packed(cut, "gzip"),
                "/noise" => packed("not gzip at all", "gzip"),
                "/foreign" => packed("....", "br"),
                _ => packed(gzip(b"x"), "gzip, gzip"),
            }
        }
    })
    .await;
    for path in ["cut", "noise", "foreign", "twice"] {
        assert_eq!(outcome(&format!("{}{path}", server.url()), 10_000).await, Err(Kind::Protocol), "{path}");
    }
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "SSH-2.0-server\r\n",
        "",
    ] {
        let address = raw_server(answer).await;
        assert_eq!(outcome(&format!("http://{address}/"), 10_000).await, Err(Kind::Protocol), "{answer:?}");
    }
    let endless_head = format!("HTTP/1.1 200 OK\r\nX: {}", "a".repeat(500_000));
    let address = raw_server(endless_head).await;
    assert_eq!(outcome(&format!("http://{address}/"), 10_000).await, Err(Kind::Protocol));
}

#[tokio::test]
async fn nobody_listening_is_named_with_its_remedy() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let clients = clients(|_| {});
    let fault = clients
        .get(Profile::Default)
        .send(get(&format!("http://{address}/")), Call::default())
        .await
        .unwrap_err();
    assert_eq!(fault.kind(), Kind::Connect);
    assert!(fault.is_passing() && fault.remedy().contains("port"));
    assert_eq!(clients.gauges()[0].open, 0);
}
