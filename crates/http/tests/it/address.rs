//! Addresses that are not dialled, names, redirects.

use std::time::Duration;

use nephoran_http::{Allow, Call, Error, Kind, Profile, Range, Settings};

use crate::support::{Server, Table, clients, get, text};

async fn fault(settings: Settings, url: &str) -> Error {
    let clients = nephoran_http::Clients::new(settings).unwrap();
    let call = Call { total_limit: Some(Duration::from_secs(5)), ..Call::default() };
    clients.get(Profile::Default).send(get(url), call).await.expect_err(url)
}

const NOT_DIALLED: &[(&str, Range)] = &[
    ("127.0.0.1", Range::Loopback),
    ("127.255.255.254", Range::Loopback),
    ("0.0.0.0", Range::Unspecified),
    ("10.0.0.1", Range::Private),
    ("172.16.0.1", Range::Private),
    ("172.31.255.255", Range::Private),
    ("192.168.1.1", Range::Private),
    ("100.64.0.1", Range::Private),
    ("198.18.0.1", Range::Private),
    ("169.254.1.1", Range::LinkLocal),
    ("169.254.169.254", Range::Metadata),
    ("169.254.170.2", Range::Metadata),
    ("100.100.100.200", Range::Metadata),
    ("168.63.129.16", Range::Metadata),
    ("224.0.0.1", Range::Multicast),
    ("255.255.255.255", Range::Reserved),
    ("192.0.2.1", Range::Reserved),
    ("::1", Range::Loopback),
    ("::", Range::Unspecified),
    ("fe80::1", Range::LinkLocal),
    ("fc00::1", Range::Private),
    ("fd12:3456::1", Range::Private),
    ("fd00:ec2::254", Range::Metadata),
    ("fec0::1", Range::Private),
    ("ff02::1", Range::Multicast),
    ("2001:db8::1", Range::Reserved),
    ("2001:0:1::1", Range::Reserved),
    // A v4 address in other clothes: mapped, compatible, translated, 6to4.
    ("::ffff:127.0.0.1", Range::Loopback),
    ("::ffff:169.254.169.254", Range::Metadata),
    ("::ffff:10.0.0.1", Range::Private),
    ("::7f00:1", Range::Loopback),
    ("::ffff:0:7f00:1", Range::Loopback),
    ("64:ff9b::a9fe:a9fe", Range::Metadata),
    ("64:ff9b::a00:1", Range::Private),
    ("64:ff9b:1::1", Range::Private),
    ("2002:7f00:1::1", Range::Loopback),
];

#[tokio::test]
async fn a_forbidden_address_is_refused_as_a_literal_and_as_the_answer_of_a_name() {
    let names: Vec<_> = (0..NOT_DIALLED.len()).map(|number| format!("evil{number}.test")).collect();
    let answers: Vec<_> =
        names.iter().zip(NOT_DIALLED).map(|(name, (address, _))| (&**name, *address)).collect();
    let settings = Settings { resolve: Some(Table::of(&answers)), ..Settings::default() };
    let clients = nephoran_http::Clients::new(settings).unwrap();
    let client = clients.get(Profile::Default);
    for (name, (address, range)) in names.iter().zip(NOT_DIALLED) {
        let literal = if address.contains(':') { format!("[{address}]") } else { (*address).to_owned() };
        for url in
            [format!("http://{literal}:9/"), format!("https://{literal}:9/"), format!("http://{name}:9/")]
        {
            let fault = client.send(get(&url), Call::default()).await.unwrap_err();
            let named = matches!(&fault, Error::Forbidden { range: found, .. } if found == range);
            assert!(named, "{url} {address}: {fault}");
            assert!(fault.remedy().contains("http.allow") && !fault.is_passing());
        }
    }
    assert!(clients.gauges().iter().all(|gauge| gauge.open == 0));
}

#[tokio::test]
async fn an_address_in_disguise_goes_through_the_machines_resolver_and_is_refused_there() {
    for disguise in ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "localhost."] {
        let fault = fault(Settings::default(), &format!("http://{disguise}:9/")).await;
        // A machine's resolver may not know the oldest spellings; it must not lead to loopback.
        assert!(matches!(fault.kind(), Kind::Forbidden | Kind::Resolve), "{disguise}: {fault}");
    }
    let fault = fault(Settings::default(), "http://localhost:9/").await;
    assert_eq!(fault.kind(), Kind::Forbidden);
}

#[tokio::test]
async fn what_is_allowed_by_name_address_or_network_is_dialled() {
    let server = Server::start(|_| async { text("here") }).await;
    let port = server.address.port();
    for (allow, url) in [
        ("model.test", format!("http://model.test:{port}/")),
        ("MODEL.test.", format!("http://Model.Test:{port}/")),
        ("127.0.0.1", format!("http://127.0.0.1:{port}/")),
        ("127.0.0.0/8", format!("http://model.test:{port}/")),
        ("127.0.0.1", format!("http://[::ffff:127.0.0.1]:{port}/")),
    ] {
        let settings = Settings {
            allow: vec![allow.parse().unwrap()],
            resolve: Some(Table::of(&[("model.test", "127.0.0.1")])),
            ..Settings::default()
        };
        let clients = nephoran_http::Clients::new(settings).unwrap();
        let response = clients.get(Profile::Default).send(get(&url), Call::default()).await.unwrap();
        assert_eq!(response.into_body().collect().await.unwrap(), "here", "{allow} {url}");
    }
}

#[tokio::test]
async fn an_allowed_name_opens_neither_another_name_nor_metadata() {
    let table = Table::of(&[("model.test", "169.254.169.254"), ("other.test", "127.0.0.1")]);
    let settings = || Settings {
        allow: vec!["model.test".parse().unwrap()],
        resolve: Some(table.clone()),
        ..Settings::default()
    };
    assert_eq!(fault(settings(), "http://model.test:9/").await.kind(), Kind::Forbidden);
    assert_eq!(fault(settings(), "http://other.test:9/").await.kind(), Kind::Forbidden);
    assert_eq!(fault(settings(), "http://127.0.0.1:9/").await.kind(), Kind::Forbidden);
    assert_eq!(fault(settings(), "http://unknown.test:9/").await.kind(), Kind::Resolve);
}

#[tokio::test]
async fn a_name_is_asked_for_once_in_30_s() {
    let server = Server::start(|_| async { text("here") }).await;
    let table = Table::of(&[("model.test", "127.0.0.1")]);
    let clients = clients(|settings| {
        settings.resolve = Some(table.clone());
        settings.default.idle = 0;
    });
    let url = format!("http://model.test:{}/", server.address.port());
    let call = || async {
        clients
            .get(Profile::Default)
            .send(get(&url), Call::default())
            .await
            .unwrap()
            .into_body()
            .collect()
            .await
            .unwrap()
    };
    call().await;
    call().await;
    assert_eq!((server.opened(), table.asked().len()), (2, 1));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    tokio::time::resume();
    call().await;
    assert_eq!((server.opened(), table.asked().len()), (3, 2));
}

#[tokio::test]
async fn a_redirect_is_an_error_that_names_the_other_host_and_no_more() {
    let server = Server::start(|request| async move {
        let mut answer = text("elsewhere");
        *answer.status_mut() = http::StatusCode::from_bytes(&request.uri().path().as_bytes()[1..]).unwrap();
        answer.headers_mut().insert("location", "http://169.254.169.254/secret?token=1".parse().unwrap());
        answer
    })
    .await;
    let clients = clients(|_| {});
    for status in [301, 302, 303, 307, 308] {
        let url = format!("{}{status}", server.url());
        let fault = clients.get(Profile::Default).send(get(&url), Call::default()).await.unwrap_err();
        assert!(
            matches!(&fault, Error::Redirect { status: found, target, .. } if *found == status && target == "169.254.169.254"),
            "{fault}"
        );
        assert!(!fault.to_string().contains("secret") && !fault.is_passing());
    }
}

#[tokio::test]
async fn a_url_that_cannot_be_called_says_why() {
    for url in ["ftp://model.test/", "/path", "http://user:hush@model.test/", "http://model.test:99999/"] {
        let Ok(uri) = url.parse::<http::Uri>() else { continue };
        let clients = clients(|_| {});
        let request = http::Request::get(uri).body(bytes::Bytes::new()).unwrap();
        let fault = clients.get(Profile::Default).send(request, Call::default()).await.unwrap_err();
        assert_eq!(fault.kind(), Kind::Url, "{url}");
        assert!(!fault.to_string().contains("hush"));
    }
}

#[test]
fn an_entry_of_the_allow_list_is_a_name_an_address_or_a_network() {
    assert_eq!("Model.Test".parse::<Allow>().unwrap(), Allow::Host("model.test".to_owned()));
    for good in ["10.1.2.3", "10.0.0.0/8", "fd00::/8", "[::1]"] {
        assert!(matches!(good.parse::<Allow>().unwrap(), Allow::Network(_)), "{good}");
    }
    for bad in ["", "http://model.test", "10.0.0.0/33", "a b", "model.test:80", "*"] {
        assert!(bad.parse::<Allow>().is_err(), "{bad}");
    }
}
