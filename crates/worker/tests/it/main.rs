//! What the workers promise, one file per row or promise.
#![allow(clippy::unwrap_used)]

mod life;
mod s1_shutdown;
mod s4_channel;
mod s8_leaks;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use nephoran_queue::{Band, Delivery, Lane, Limits, Queue};
use nephoran_worker::{Begun, Context, Ended, Next, Pool, Scale, Settings, Work};
use tokio::time::Instant;

pub fn queue() -> Queue<usize> {
    Queue::new(Limits::default()).unwrap()
}

pub fn publish(queue: &Queue<usize>, keys: impl IntoIterator<Item = usize>) {
    for key in keys {
        queue.reserve(Band::Urgent).unwrap().publish(key, None, None);
    }
}

pub fn settings(scale: Scale) -> Settings {
    Settings { lane: Lane::Direct, scale, batch: 16 }
}

pub fn start(queue: &Queue<usize>, scale: Scale, work: &Arc<Does>) -> Pool {
    Pool::start(queue.clone(), settings(scale), work.clone())
}

type Job = Box<dyn Fn(usize, Context) -> BoxFuture<'static, Ended<usize>> + Send + Sync>;
type Gate = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// Work that is told what to do, and remembers what came of it.
pub struct Does {
    job: Job,
    gate: Option<Gate>,
    pub begun: Mutex<Vec<usize>>,
    pub panics: Mutex<Vec<(usize, String)>>,
    pub results: Mutex<Vec<usize>>,
}

impl Does {
    pub fn what<F>(job: impl Fn(usize, Context) -> F + Send + Sync + 'static) -> Arc<Self>
    where
        F: Future<Output = Ended<usize>> + Send + 'static,
    {
        Arc::new(Self::of(job))
    }

    pub fn of<F>(job: impl Fn(usize, Context) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Ended<usize>> + Send + 'static,
    {
        Self {
            job: Box::new(move |key, context| Box::pin(job(key, context))),
            gate: None,
            begun: Mutex::default(),
            panics: Mutex::default(),
            results: Mutex::default(),
        }
    }

    /// Done after so long, whatever the token says.
    pub fn takes(time: Duration) -> Arc<Self> {
        Self::what(move |key, _| async move {
            tokio::time::sleep(time).await;
            Ended::new(Next::Done).with(key)
        })
    }

    pub fn behind<F>(mut self, gate: impl Fn() -> F + Send + Sync + 'static) -> Arc<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.gate = Some(Box::new(move || Box::pin(gate())));
        Arc::new(self)
    }

    pub fn sorted_results(&self) -> Vec<usize> {
        let mut results = self.results.lock().unwrap().clone();
        results.sort_unstable();
        results
    }
}

impl Work<usize> for Does {
    type Begun = usize;
    type Output = usize;

    async fn ready(&self) {
        if let Some(gate) = &self.gate {
            gate().await;
        }
    }

    async fn begin(&self, delivery: &Delivery<usize>) -> Begun<usize, usize> {
        self.begun.lock().unwrap().push(*delivery.key());
        Begun::Work(*delivery.key())
    }

    async fn work(&self, begun: usize, context: Context) -> Ended<usize> {
        (self.job)(begun, context).await
    }

    async fn failed(&self, key: &usize, cause: &str) -> Next {
        self.panics.lock().unwrap().push((*key, cause.to_owned()));
        Next::Again(Instant::now() + Duration::from_secs(1))
    }

    fn finished(&self, output: usize) {
        self.results.lock().unwrap().push(output);
    }
}

/// Lets everything run that can, without letting time pass.
pub async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}
