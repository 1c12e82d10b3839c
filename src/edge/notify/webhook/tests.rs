use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use proptest::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use super::*;
use crate::edge::clock;
use crate::edge::notify::tests::{AT, attempt, notice, opened};
use crate::wire::signature::{Headers, SignatureError, verify};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// A request as it came.
struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &mut dyn Stream) -> Option<Self> {
        let mut bytes = Vec::new();
        let end = loop {
            let mut byte = [0];
            stream.read_exact(&mut byte).ok()?;
            bytes.push(byte[0]);
            if bytes.ends_with(b"\r\n\r\n") {
                break bytes.len();
            }
        };
        let head = String::from_utf8(bytes[..end].to_vec()).expect("UTF-8");
        let mut request = Self { head, body: Vec::new() };
        request.body = vec![0; request.header("content-length").parse().expect("a length")];
        stream.read_exact(&mut request.body).ok()?;
        Some(request)
    }

    fn header(&self, name: &str) -> &str {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    fn verified(&self, body: &[u8], now: Wall) -> Result<(), SignatureError> {
        let headers = Headers {
            timestamp: self.header(signature::TIMESTAMP),
            key: self.header(signature::KEY),
            signature: self.header(signature::SIGNATURE),
        };
        verify(&Secret::new(SECRET).expect("a secret"), &headers, body, now)
    }
}

/// A server on loopback: its port, and the requests that it gets. Each is answered by `answer`.
fn server(
    tls: Option<Arc<ServerConfig>>,
    answer: impl Fn(&mut dyn Stream) + Send + 'static,
) -> (u16, Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (sender, requests) = channel();
    let serve = move |stream: &mut dyn Stream| {
        let request = Request::read(stream)?;
        answer(stream);
        sender.send(request).ok()
    };
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream: TcpStream = stream.expect("a connection");
            match &tls {
                None => serve(&mut stream),
                Some(tls) => {
                    let connection = ServerConnection::new(tls.clone()).expect("a connection");
                    serve(&mut StreamOwned::new(connection, stream))
                }
            };
        }
    });
    (port, requests)
}

/// A server of plain HTTP that gives the same answer every time.
fn answering(answer: impl Into<Vec<u8>>) -> (u16, Receiver<Request>) {
    let answer = answer.into();
    server(None, move |stream| drop(stream.write_all(&answer)))
}

/// A folder with a file that only its owner reads.
fn file(content: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    std::fs::write(&path, content).expect("written");
    mode(&path, 0o600);
    (folder, path)
}

fn mode(path: &Path, mode: u32) {
    let permissions = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(path, permissions).expect("permissions");
}

/// Opens a webhook with the secret; `more` are further settings.
fn webhook(url: &str, more: &str) -> Result<Box<dyn Channel>, String> {
    let (_folder, secret) = file(&[SECRET, b"\n"].concat());
    opened(&format!("kind = \"webhook\"\nurl = \"{url}\"\nsecret-file = {secret:?}\n{more}"))
}

/// Delivers to a port of this machine; no message shows the URL.
fn deliver(scheme: &str, port: u16, more: &str) -> Outcome {
    let url = format!("{scheme}://localhost:{port}/SECRET?token=SECRET#SECRET");
    let channel = webhook(&url, more).expect("a channel");
    let outcome = channel.deliver(&attempt(notice()), AT);
    assert!(!format!("{outcome:?}").contains("SECRET"), "{outcome:?}");
    outcome
}

/// What comes of it if it has a second.
fn hurried(scheme: &str, port: u16) -> Outcome {
    let began = clock::now();
    let outcome = deliver(scheme, port, "timeout = 1");
    assert!(clock::now() - began < Duration::from_secs(8), "{outcome:?}");
    outcome
}

fn later(outcome: &Outcome, part: &str) {
    let Outcome::Later(problem) = outcome else { panic!("{outcome:?}") };
    assert!(problem.starts_with("localhost") && problem.contains(part), "{problem}");
}

fn never(outcome: &Outcome, part: &str) {
    let Outcome::Never(problem) = outcome else { panic!("{outcome:?}") };
    assert!(problem.starts_with("localhost") && problem.contains(part), "{problem}");
}

fn soon(seconds: u64) -> Wall {
    AT + Duration::from_secs(seconds)
}

#[test]
fn a_notice_is_signed_and_delivered() {
    let (port, requests) = answering(OK);
    assert_eq!(deliver("http", port, ""), Outcome::Delivered);
    let request = requests.recv().expect("a request");
    assert!(request.head.starts_with("POST /SECRET?token=SECRET HTTP/1.1\r\n"), "{}", request.head);
    assert_eq!(request.body, serde_json::to_vec(&notice()).expect("JSON"));
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(request.header("user-agent"), concat!("lineclear/", env!("CARGO_PKG_VERSION")));
    assert_eq!(request.header("idempotency-key"), notice().key);
    assert_eq!(request.header("lineclear-timestamp"), "1795305600");
    assert_eq!(request.header("lineclear-attempt"), "3");

    assert_eq!(request.verified(&request.body, soon(0)), Ok(()));
    assert_eq!(request.verified(&request.body, soon(300)), Ok(()));
    assert_eq!(request.verified(&request.body, soon(301)), Err(SignatureError::Stale));
    let changed = String::from_utf8_lossy(&request.body).replace("danger", "caution");
    assert_eq!(request.verified(changed.as_bytes(), AT), Err(SignatureError::Mismatch));
}

#[test]
fn answers_tell_whether_to_try_again() {
    let answer = |status: &str| {
        let (port, requests) = answering(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n"));
        let outcome = deliver("http", port, "");
        assert!(requests.recv().is_ok());
        outcome
    };
    for status in ["200 OK", "201 Created", "202 Accepted", "204 No Content"] {
        assert_eq!(answer(status), Outcome::Delivered, "{status}");
    }
    for status in ["408 A", "425 A", "429 A", "500 A", "502 A", "503 A", "504 A", "599 A"] {
        later(&answer(status), &status[..3]);
    }
    for status in ["400 A", "401 A", "403 A", "404 A", "409 A", "410 A", "418 A"] {
        never(&answer(status), &status[..3]);
    }
}

#[test]
fn redirects_are_not_followed() {
    let (elsewhere, requests) = answering(OK);
    for status in [301, 302, 303, 304, 307, 308] {
        let location = format!("location: http://127.0.0.1:{elsewhere}/SECRET\r\n");
        let (port, _) = answering(format!("HTTP/1.1 {status} A\r\n{location}\r\n"));
        never(&deliver("http", port, ""), "redirects are not followed");
    }
    assert!(requests.try_recv().is_err());
}

#[test]
fn what_does_not_answer_is_tried_later() {
    let silent = |answer: fn(&mut dyn Stream)| server(None, answer).0;
    let step = || clock::wait_until(clock::now() + Duration::from_millis(50));
    let hangs = silent(|_| clock::wait_until(clock::now() + Duration::from_secs(60)));
    later(&hurried("http", hangs), "no answer within 1 s");
    let (drips, _) = server(None, move |stream| {
        while stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").is_ok() {
            step();
        }
    });
    later(&hurried("http", drips), "no answer within 1 s");
    let hangs_up = silent(|_| {});
    later(&hurried("http", hangs_up), "");
    let (port, _) = answering("SSH-2.0-OpenSSH_9.9\r\n\r\n");
    later(&hurried("http", port), "");
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    later(&hurried("https", port), "no answer within 1 s");
    drop(free);
    later(&hurried("http", port), "refused");
}

/// Answers that never end: how much of each the server gets rid of.
#[test]
fn endless_answers_are_cut_off() {
    let endless = |start: &'static str, more: &'static str| {
        let (sender, sent) = channel();
        let (port, _requests) = server(None, move |stream| {
            let more = more.repeat(1000);
            let mut length = 0;
            let mut fits = stream.write_all(start.as_bytes()).is_ok();
            while fits && length < 1 << 30 {
                fits = stream.write_all(more.as_bytes()).is_ok();
                length += more.len();
            }
            let _ = sender.send(length);
        });
        let outcome = hurried("http", port);
        let length = sent.recv_timeout(Duration::from_secs(10)).expect("the server is done");
        assert!(length < 64 << 20, "{length} bytes were taken");
        outcome
    };
    assert_eq!(endless("HTTP/1.1 200 OK\r\n\r\n", "abcdefgh"), Outcome::Delivered);
    later(&endless("HTTP/1.1 500 Oh\r\n\r\n", "abcdefgh"), "500");
    later(&endless("HTTP/1.1 200 OK\r\n", "a: bcdef\r\n"), "");
    later(&endless("HTTP/1.1 200 OK\r\na: ", "abcdefgh"), "");
}

#[test]
fn interim_answers_without_end_are_cut_off_in_time() {
    let (port, _) =
        server(
            None,
            |stream| {
                while stream.write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n").is_ok() {}
            },
        );
    later(&hurried("http", port), "");
}

/// A certificate authority, and a server's configuration with a certificate of it for `name`.
fn authority(name: &str) -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = || KeyPair::generate().expect("a key");
    let issuer = CertifiedIssuer::self_signed(params, key()).expect("an authority");
    let key = key();
    let params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    let certificate = params.signed_by(&key, &issuer).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().expect("versions");
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let config = config.with_no_client_auth();
    let config = config.with_single_cert(vec![certificate.der().clone()], key);
    (issuer.pem(), Arc::new(config.expect("a configuration")))
}

#[test]
fn only_a_receiver_that_is_vouched_for_is_told() {
    let (pem, config) = authority("localhost");
    let (port, requests) = server(Some(config), |stream| {
        drop(stream.write_all(OK.as_bytes()));
        drop(stream.flush());
    });
    let (_folder, right) = file(pem.as_bytes());
    let trust = |path: &Path| format!("ca-file = {path:?}");
    assert_eq!(deliver("https", port, &trust(&right)), Outcome::Delivered);
    let request = requests.recv().expect("a request");
    assert_eq!(request.verified(&request.body, AT), Ok(()));

    let (_folder, wrong) = file(authority("localhost").0.as_bytes());
    later(&deliver("https", port, &trust(&wrong)), "certificate");
    later(&deliver("https", port, ""), "certificate");
    let (pem, config) = authority("other.example");
    let (port, others) = server(Some(config), |_| {});
    let (_folder, right) = file(pem.as_bytes());
    later(&deliver("https", port, &trust(&right)), "certificate");
    assert!(requests.try_recv().is_err() && others.try_recv().is_err());
    let (plain, requests) = answering(OK);
    drop(requests);
    later(&deliver("https", plain, &format!("timeout = 1\n{}", trust(&right))), "");
}

/// A proxy of the environment would see the notifications: nothing listens there.
#[test]
fn no_proxy_comes_from_the_environment() {
    let mut again = Command::new(std::env::current_exe().expect("this program"));
    let test = "edge::notify::webhook::tests::a_notice_is_signed_and_delivered";
    again.args([test, "--exact"]).env_remove("NO_PROXY").env_remove("no_proxy");
    for name in ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"]
    {
        again.env(name, "http://127.0.0.1:1");
    }
    let ran = again.output().expect("it runs");
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && told.contains("1 passed"), "{told}");
}

#[test]
fn addresses_are_checked_when_a_channel_is_opened() {
    for good in [
        "https://example.org",
        "https://example.org:8443/hook?a=b",
        "https://192.0.2.1/",
        "https://[2001:db8::1]:8443/",
        "http://localhost:8080/hook",
        "http://LOCALHOST/",
        "http://127.0.0.53",
        "http://[::1]:8080/",
    ] {
        assert_eq!(webhook(good, "").err(), None, "{good}");
    }
    let plain = "it must begin with https://";
    for (bad, expected) in [
        ("http://example.org/SECRET", plain),
        ("http://localhost.example.org/", plain),
        ("http://192.168.1.2/", plain),
        ("http://[::2]/", plain),
        ("http://0.0.0.0/", plain),
        ("ftp://localhost/", plain),
        ("https://anna:SECRET@example.org/", "a name and a password"),
        ("http://localhost@example.org/", "a name and a password"),
        ("https://example.org:99999/", "write a whole address"),
        ("https://:443/", "write a whole address"),
        ("https:///SECRET", "write a whole address"),
        ("example.org/SECRET", "write a whole address"),
        ("/SECRET", "write a whole address"),
        ("", "write a whole address"),
        ("https://exa mple.org/", "write a whole address"),
    ] {
        let told = webhook(bad, "").err().expect(bad);
        let start = "channel 1 of people.anna: url: ";
        assert!(told.starts_with(start) && told.contains(expected), "{bad}: {told}");
        assert!(!told.contains("SECRET"), "{told}");
    }
    for timeout in [0, 16] {
        let told = webhook("https://example.org", &format!("timeout = {timeout}")).err();
        assert!(told.expect("an error").contains("timeout: it must be from 1 to 15 seconds"));
    }
}

proptest! {
    #[test]
    fn no_address_ends_the_program(text in ".{0,60}", tail in "[ -~]{0,40}") {
        for text in [text, format!("https://{tail}"), format!("http://{tail}")] {
            if let Ok(url) = url("", &text) {
                prop_assert!(url.host().is_some_and(|host| !host.is_empty()), "{}", text);
                let is_safe = url.scheme_str() == Some("https")
                    || is_loopback(url.host().unwrap_or_default());
                prop_assert!(is_safe, "{}", text);
            }
        }
    }
}

#[test]
fn files_are_checked_when_a_channel_is_opened() {
    let open = |secret: &Path, more: &str| {
        let url = "https://example.org";
        let settings = format!("kind = \"webhook\"\nurl = \"{url}\"\nsecret-file = {secret:?}\n");
        opened(&format!("{settings}{more}")).err()
    };
    let (_folder, secret) = file(b"0123456789abcdef\r\n");
    assert_eq!(open(&secret, ""), None);
    mode(&secret, 0o640);
    assert_eq!(open(&secret, ""), None);
    for shared in [0o644, 0o602, 0o601] {
        mode(&secret, shared);
        let told = open(&secret, "").expect("an error");
        assert!(told.ends_with(&format!("chmod o= {}", secret.display())), "{told}");
    }
    let (_short, short) = file(b"0123456789abcde\n");
    let told = open(&short, "").expect("an error");
    assert!(told.contains("shorter than 16 bytes") && !told.contains("0123"), "{told}");
    let (_long, long) = file(&vec![b'x'; (1 << 20) + 1]);
    assert!(open(&long, "").expect("an error").contains("larger than 1 MiB"));
    assert!(open(Path::new("a.secret"), "").expect("an error").contains("the whole path"));
    let folder = secret.parent().expect("a folder");
    assert!(open(folder, "").expect("an error").contains("not a file"));
    let told = open(&folder.join("nowhere"), "").expect("an error");
    assert!(told.contains("check the path"), "{told}");

    let (_folder, secret) = file(SECRET);
    assert!(open(&secret, "ca-file = \"ca.pem\"").expect("an error").contains("the whole path"));
    let told = open(&secret, &format!("ca-file = {secret:?}")).expect("an error");
    assert!(told.contains("no certificate in it"), "{told}");
}

#[test]
fn a_secret_may_hold_anything_but_the_end_of_its_last_line() {
    let (_folder, path) = file(b"\x00 \xff\n0123456789abcdef \n\r\n");
    let Ok(read) = secret("", &path) else { panic!("a secret") };
    let expected = Secret::new(b"\x00 \xff\n0123456789abcdef ").expect("a secret");
    let sign = |secret: &Secret| signature::sign(secret, "0", "a", b"");
    assert_eq!(sign(&read), sign(&expected));
}
