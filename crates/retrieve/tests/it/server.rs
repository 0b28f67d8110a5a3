//! Vectors from a server: what it answers, and what becomes of that.

use std::sync::Arc;

use nephoran_http::{Clients, Profile, Settings};
use nephoran_retrieve::{Embed, EmbedError, Embeddings};
use nephoran_sim::model::{Script, ScriptedModel};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::{Place, find, found, update};

fn client() -> nephoran_http::Client {
    let settings = Settings { allow: vec!["127.0.0.1".parse().unwrap()], ..Settings::default() };
    Clients::new(settings).unwrap().get(Profile::HighThroughput)
}

fn ask(url: &str) -> Embeddings {
    Embeddings::new(client(), url, "small", Some("k3y")).unwrap()
}

/// Answers every request with these bytes; returns where, and what it was sent.
async fn canned(status: &str, body: &str) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let (told, asked) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while let Ok(length) = connection.read(&mut buffer).await {
                request.extend_from_slice(&buffer[..length]);
                // Each request here ends with the end of its JSON.
                if length == 0 || request.ends_with(b"}") {
                    break;
                }
            }
            let _ = told.send(String::from_utf8_lossy(&request).into_owned());
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    });
    (url, asked)
}

#[tokio::test]
async fn passages_get_their_vectors_from_a_server() {
    let server = ScriptedModel::start(Script::honest());
    let place =
        Place::new(&[("a.md", "# Links\n\nthroughput in downlink\n"), ("b.md", "# Cells\n\na radio\n")]);
    let index = place.open_with(Arc::new(ask(&server.url())));
    let report = update(&index).await;
    assert_eq!((report.embedded, report.words_alone), (2, None));
    assert_eq!(index.progress().embedded, 2);
    // Both lists are there: what no word finds is found by its vector.
    let all = find(&index, "entirely different").await;
    assert_eq!(all.len(), 2);
}

#[tokio::test]
async fn the_request_is_what_such_servers_take() {
    let (url, mut asked) =
        canned("200 OK", r#"{"data":[{"index":1,"embedding":[0,1]},{"index":0,"embedding":[1,0]}]}"#).await;
    for url in [url.clone(), format!("{url}/"), format!("{url}/v1"), format!("{url}/v1/")] {
        let vectors = ask(&url).embed(vec!["one".into(), "two".into()]).await.unwrap();
        // In the order of the texts, not of the answer.
        assert_eq!(vectors, [[1.0, 0.0], [0.0, 1.0]]);
        let request = asked.recv().await.unwrap();
        assert!(request.starts_with("POST /v1/embeddings HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("authorization: Bearer k3y\r\n"), "{request}");
        assert!(request.ends_with(r#"{"model":"small","input":["one","two"],"encoding_format":"float"}"#));
    }
    assert!(!format!("{:?}", ask(&url)).contains("k3y"));
}

#[tokio::test]
async fn a_server_without_embeddings_leaves_words_alone_and_says_so() {
    for (status, body, expected) in [
        (
            "501 Not Implemented",
            r#"{"error":{"code":501,"message":"This server does not support embeddings","type":"not_supported_error"}}"#,
            "there are no embeddings: 501 Not Implemented: This server does not support embeddings",
        ),
        (
            "400 Bad Request",
            r#"{"error":{"code":400,"message":"Pooling type 'none' is not OAI compatible\u001b[31m\u202e","type":"x"}}"#,
            "there are no embeddings: 400 Bad Request: Pooling type 'none' is not OAI compatible[31m",
        ),
        ("401 Unauthorized", "no", "there are no embeddings: 401 Unauthorized"),
        ("503 Service Unavailable", "", "embeddings cannot be had now: 503 Service Unavailable"),
        ("429 Too Many Requests", "{}", "embeddings cannot be had now: 429 Too Many Requests"),
    ] {
        let (url, _asked) = canned(status, body).await;
        let place = Place::new(&[("a.md", "porcupine")]);
        let index = place.open_with(Arc::new(ask(&url)));
        let report = update(&index).await;
        assert_eq!(report.words_alone.as_deref(), Some(expected));
        assert_eq!(found(&index, "porcupine").await, ["a.md"]);
    }
}

#[tokio::test]
async fn a_broken_answer_is_unusable_and_nothing_of_it_is_kept() {
    for body in [
        "",
        "{",
        "[]",
        "<html>",
        r#"{"data":[]}"#,
        r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1]},{"index":7,"embedding":[1]}]}"#,
        r#"{"data":[{"index":0,"embedding":["x"]},{"index":1,"embedding":[1]}]}"#,
        r#"{"data":[{"index":0,"embedding":null},{"index":1,"embedding":[1]}]}"#,
        &format!(
            r#"{{"data":[{{"index":0,"embedding":[{}1]}},{{"index":1,"embedding":[1]}}]}}"#,
            "1,".repeat(9_000)
        ),
    ] {
        let (url, _asked) = canned("200 OK", body).await;
        let answer = ask(&url).embed(vec!["one".into(), "two".into()]).await;
        assert!(matches!(answer, Err(EmbedError::Unusable(_))), "{answer:?} for {body:.60}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_away_or_forbidden_is_told_by_name() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let away = ask(&format!("http://{nobody}")).embed(vec!["one".into()]).await;
    assert!(matches!(away, Err(EmbedError::Away(_))), "{away:?}");
    let unnamed = Clients::new(Settings::default()).unwrap().get(Profile::HighThroughput);
    let forbidden = Embeddings::new(unnamed, &format!("http://{nobody}"), "small", None).unwrap();
    let forbidden = forbidden.embed(vec!["one".into()]).await;
    assert!(
        matches!(&forbidden, Err(EmbedError::Rejected(said)) if said.contains("http.allow")),
        "{forbidden:?}"
    );
    assert!(Embeddings::new(client(), "http://[", "small", None).is_err());
    assert!(Embeddings::new(client(), "http://h", "small", Some("a\nb")).is_err());
}
