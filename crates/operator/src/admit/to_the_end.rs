//! Work that must come to its end once it was begun, whether or not somebody still waits for it.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// Runs where it is awaited; what is left when it is dropped in the middle runs on as a task.
/// So the common case costs no task.
pub struct ToTheEnd<T: Send + 'static> {
    work: Option<BoxFuture<'static, T>>,
    begun: bool,
}

impl<T: Send + 'static> ToTheEnd<T> {
    pub fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self { work: Some(work.boxed()), begun: false }
    }
}

impl<T: Send + 'static> Future for ToTheEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        self.begun = true;
        let work = self.work.as_mut().expect("a future is not polled after it was ready");
        let polled = work.poll_unpin(context);
        if polled.is_ready() {
            self.work = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for ToTheEnd<T> {
    fn drop(&mut self) {
        // What panicked cannot go on, and outside a runtime nothing can.
        let may_go_on = self.begun && !std::thread::panicking();
        if let (true, Some(work), Ok(runtime)) =
            (may_go_on, self.work.take(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn what_was_begun_ends_although_nobody_waits_any_more() {
        let (go, done) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let mut work = Box::pin(ToTheEnd::new({
            let (go, done) = (go.clone(), done.clone());
            async move {
                go.notified().await;
                done.notify_one();
            }
        }));
        assert!(futures_util::poll!(work.as_mut()).is_pending());
        drop(work);
        go.notify_one();
        done.notified().await;
    }

    #[tokio::test]
    async fn what_was_never_begun_is_not_begun_by_dropping_it() {
        let (sent, mut told) = tokio::sync::mpsc::channel(1);
        drop(ToTheEnd::new(async move { sent.send(()).await }));
        assert_eq!(told.recv().await, None);
    }
}
