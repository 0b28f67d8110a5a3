//! Proxies of the environment, given as an argument.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use nephoran_http::{Call, Clients, Kind, Profile, Proxies, Settings};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Server, Table, get, read_head, soon, text};
use crate::tls::Authority;

/// Answers plain requests itself, tunnels the others to `to`; remembers the heads it saw.
async fn proxy(to: SocketAddr, refuse: bool) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    tokio::spawn({
        let seen = Arc::clone(&seen);
        async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let seen = Arc::clone(&seen);
                tokio::spawn(async move {
                    let Ok(head) = read_head(&mut near).await else { return };
                    let tunnel = head.starts_with("CONNECT");
                    seen.lock().unwrap().push(head);
                    if refuse {
                        near.write_all(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n").await.unwrap();
                    } else if tunnel {
                        near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                        let mut far = TcpStream::connect(to).await.unwrap();
                        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                    } else {
                        near.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nby proxy!")
                            .await
                            .unwrap();
                    }
                });
            }
        }
    });
    (address, seen)
}

fn environment(entries: &[(&str, String)]) -> Proxies {
    Proxies::from_environment(|name| {
        entries.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    })
}

async fn body(clients: &Clients, url: &str) -> Result<String, Kind> {
    let response = soon(url, clients.get(Profile::Default).send(get(url), Call::default()))
        .await
        .map_err(|fault| fault.kind())?;
    let body = response.into_body().collect().await.map_err(|fault| fault.kind())?;
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn plain_http_is_asked_of_the_proxy_and_no_proxy_is_honoured() {
    let direct = Server::start(|_| async { text("directly") }).await;
    let (proxy, seen) = proxy(direct.address, false).await;
    let port = direct.address.port();
    let clients = Clients::new(Settings {
        allow: vec!["near.test".parse().unwrap(), "127.0.0.1".parse().unwrap()],
        proxies: environment(&[
            ("HTTP_PROXY", format!("http://user:word@{proxy}")),
            ("NO_PROXY", "near.test".to_owned()),
        ]),
        resolve: Some(Table::of(&[("near.test", "127.0.0.1")])),
        ..Settings::default()
    })
    .unwrap();
    assert_eq!(body(&clients, "http://far.test:8000/a?b").await.unwrap(), "by proxy!");
    let head = seen.lock().unwrap().pop().unwrap();
    assert!(head.starts_with("GET http://far.test:8000/a?b HTTP/1.1\r\n"), "{head}");
    assert!(head.to_lowercase().contains("proxy-authorization: basic "), "{head}");

    assert_eq!(body(&clients, &format!("http://near.test:{port}/")).await.unwrap(), "directly");
    assert_eq!(
        body(&clients, &direct.url()).await.unwrap(),
        "directly",
        "this machine is never asked for elsewhere"
    );
    assert_eq!(seen.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn https_goes_through_a_tunnel_and_the_certificate_is_the_targets() {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("far.test")).await;
    let (proxy, seen) = proxy(server.address, false).await;
    let clients = Clients::new(Settings {
        proxies: environment(&[("https_proxy", format!("http://{proxy}"))]),
        ca_file: Some(authority.file()),
        resolve: Some(Table::of(&[])),
        ..Settings::default()
    })
    .unwrap();
    assert_eq!(body(&clients, "https://far.test/").await.unwrap(), "secret");
    assert!(seen.lock().unwrap()[0].starts_with("CONNECT far.test:443 HTTP/1.1\r\n"));
    assert_eq!(body(&clients, "https://false.test/").await, Err(Kind::Certificate));
    assert_eq!(
        body(&clients, "http://far.test/").await,
        Err(Kind::Resolve),
        "no proxy is set for plain HTTP"
    );
}

#[tokio::test]
async fn a_proxy_that_refuses_or_is_away_is_named() {
    let (refusing, _) = proxy("127.0.0.1:9".parse().unwrap(), true).await;
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (address, url) in
        [(refusing, "https://far.test/"), (gone, "https://far.test/"), (gone, "http://far.test/")]
    {
        let clients = Clients::new(Settings {
            proxies: environment(&[("ALL_PROXY", format!("http://user:word@{address}"))]),
            ..Settings::default()
        })
        .unwrap();
        let fault = clients.get(Profile::Default).send(get(url), Call::default()).await.unwrap_err();
        assert_eq!(fault.kind(), Kind::Proxy, "{fault}");
        assert!(
            fault.to_string().contains(&address.to_string()) && !fault.to_string().contains("word"),
            "{fault}"
        );
        assert!(fault.remedy().contains("NO_PROXY"));
    }
}

#[tokio::test]
async fn a_proxy_opens_no_way_to_forbidden_addresses() {
    let (proxy, seen) = proxy("127.0.0.1:9".parse().unwrap(), false).await;
    let clients = Clients::new(Settings {
        proxies: environment(&[("ALL_PROXY", format!("http://{proxy}"))]),
        ..Settings::default()
    })
    .unwrap();
    for url in ["http://169.254.169.254/", "https://10.0.0.1/", "http://[::ffff:169.254.169.254]/"] {
        assert_eq!(body(&clients, url).await, Err(Kind::Forbidden), "{url}");
    }
    assert_eq!(body(&clients, "http://far.test/").await.unwrap(), "by proxy!");
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_kind_of_proxy_that_is_not_spoken_is_named() {
    for proxy in ["socks5://127.0.0.1:1080", "https://127.0.0.1:1080"] {
        let clients = Clients::new(Settings {
            proxies: environment(&[("ALL_PROXY", proxy.to_owned())]),
            ..Settings::default()
        })
        .unwrap();
        assert_eq!(body(&clients, "http://far.test/").await, Err(Kind::Proxy), "{proxy}");
    }
}
