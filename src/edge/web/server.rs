//! The connections of the HTTP interface: so many at a time, and none is kept for somebody who only
//! waits. Otherwise whoever can connect could keep an exchange from asking the gate.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::impatient::Impatient;
use super::state::State;
use crate::edge::ingest::feed;

/// Connections at a time; more wait to be taken.
const MOST_CONNECTIONS: usize = 4096;
/// How long the head of a request may take, or the next request on a connection.
const LONGEST_HEAD: Duration = Duration::from_secs(30);

/// Serves until `stop` changes; answers that were begun are finished.
///
/// # Errors
/// None now: a connection that cannot be taken is logged, and the next one is.
pub async fn serve(
    listener: TcpListener,
    state: Arc<State>,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let router = super::router(state);
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut stopped = pin!(async move {
        // A sender that is gone stops it too.
        let _ = stop.wait_for(|stop| *stop).await;
    });
    loop {
        let taken = tokio::select! {
            () = &mut stopped => break,
            taken = take(&listener, &places) => taken,
        };
        let (stream, peer, place) = match taken {
            Ok(taken) => taken,
            Err(error) => {
                feed::not_taken(&format!("of the interface: {error}")).await;
                continue;
            }
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(LONGEST_HEAD)
            .serve_connection(TokioIo::new(Impatient::new(stream)), answers(peer, router.clone()));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // Whoever breaks off is told nothing any more.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
    Ok(())
}

async fn take(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    // Answers are short and urgent.
    let _ = stream.set_nodelay(true);
    Ok((stream, peer, place))
}

/// Answers the requests of a connection, each with the address of whoever asks.
fn answers(
    peer: SocketAddr,
    router: Router,
) -> impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send> {
    let router = TowerToHyperService::new(router);
    service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.call(request)
    })
}
