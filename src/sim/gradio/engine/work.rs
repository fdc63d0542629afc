//! What a call does once it has its slot.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::sim::gradio::{
    engine::{Call, Engine},
    envelope::{Failure, difference},
    functions::{Does, given_file, yielded},
};

/// How often progress is looked at; what comes faster is lost.
const TICK: Duration = Duration::from_millis(100);

impl Engine {
    pub(super) async fn process(self: Arc<Self>, group: usize, call: Call, cancel: CancellationToken) {
        self.ledger.begin(call.offer.title(), &call.prompt());
        let ended = match call.offer.check(&call.data) {
            Ok(()) if call.offer.does == Does::Stream => self.generator(&call, &cancel).await,
            Ok(()) => self.plain(&call, &cancel).await,
            Err(failure) => {
                self.ledger.close(call.offer.title(), &call.prompt());
                Some(Err(failure))
            }
        };
        // A cancelled call has its end from `cancel`.
        match ended {
            Some(Ok(output)) => self.send(&call, self.envelope().completed(&output)),
            Some(Err(failure)) => self.send(&call, self.envelope().failed(&failure)),
            None => {}
        }
        self.release(group, &call);
    }

    /// A plain function runs in a thread that nothing stops: a cancellation frees its slot, no more.
    async fn plain(
        self: &Arc<Self>,
        call: &Call,
        cancel: &CancellationToken,
    ) -> Option<Result<Value, Failure>> {
        let (step, mut steps) = watch::channel(0);
        let (result, mut done) = oneshot::channel();
        let (engine, own) = (self.clone(), call.clone());
        self.spawn(async move {
            // Nobody waits for the result of a call that was cancelled.
            let _unwanted = result.send(engine.thread(&own, step).await);
        });
        let mut tick = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return None,
                result = &mut done => return result.ok(),
                _ = tick.tick() => {
                    let at = match steps.has_changed() {
                        Ok(true) => *steps.borrow_and_update(),
                        _ => continue,
                    };
                    let desc = format!("Denoising {}", call.prompt());
                    self.send(call, self.envelope().progress(at, call.steps(), &desc));
                }
            }
        }
    }

    async fn thread(&self, call: &Call, step: watch::Sender<u64>) -> Result<Value, Failure> {
        let result = self.body(call, &step).await;
        match &result {
            Ok(_) => self.ledger.finish(call.offer.title(), &call.prompt()),
            Err(_) => self.ledger.close(call.offer.title(), &call.prompt()),
        }
        result
    }

    async fn body(&self, call: &Call, step: &watch::Sender<u64>) -> Result<Value, Failure> {
        let nothing = Value::Null;
        match call.offer.does {
            Does::Generate => {
                let image = given_file(call.data.get(2).unwrap_or(&nothing), &self.disk, self.version)?;
                self.denoise(call, step).await?;
                let picture = self.disk.named(&self.disk.draw(), &call.host, None);
                let image = image.unwrap_or_else(|| "None".to_owned());
                Ok(json!([picture, format!("done {} img={image}", call.prompt())]))
            }
            Does::EchoFile => {
                let file = call.data.first().unwrap_or(&nothing);
                let path = given_file(file, &self.disk, self.version)?;
                let named = path.map(|p| self.disk.named(&p, &call.host, self.disk.size(&p)));
                Ok(json!([named]))
            }
            Does::Count => {
                self.send(call, self.envelope().log(&format!("counted {}", call.prompt())));
                Ok(json!([Value::Null, format!("{} {}", self.count(&call.session), call.prompt())]))
            }
            _ => Ok(json!([call.data.last()])),
        }
    }

    async fn denoise(&self, call: &Call, step: &watch::Sender<u64>) -> Result<(), Failure> {
        for at in 1..=call.steps() {
            tokio::time::sleep(self.options.step).await;
            step.send_replace(at);
            match (call.prompt().as_str(), at) {
                ("fail", 2) => return Err(Failure::Raised("boom from generate".to_owned())),
                ("crash", 2) => return Err(Failure::Crashed("internal detail".to_owned())),
                _ => {}
            }
        }
        Ok(())
    }

    /// A generator is closed at its next yield once nobody sees it, and at once by a cancellation.
    async fn generator(&self, call: &Call, cancel: &CancellationToken) -> Option<Result<Value, Failure>> {
        let mut last = json!([Value::Null, Value::Null]);
        for at in 0..call.steps() {
            let step = tokio::time::sleep(self.options.step);
            let cancelled = tokio::select! {
                biased;
                () = cancel.cancelled() => true,
                () = step => false,
            };
            if cancelled {
                self.ledger.close(call.offer.title(), &call.prompt());
                return None;
            }
            let value = yielded(at);
            let shown = if at == 0 { value.clone() } else { differences(&last, &value) };
            last = value;
            self.send(call, self.envelope().generating(&shown));
            if !self.is_alive(call) {
                self.ledger.close(call.offer.title(), &call.prompt());
                return None;
            }
        }
        self.ledger.finish(call.offer.title(), &call.prompt());
        Some(Ok(last))
    }
}

fn differences(before: &Value, after: &Value) -> Value {
    let pairs = before.as_array().into_iter().flatten().zip(after.as_array().into_iter().flatten());
    pairs.map(|(before, after)| difference(before, after)).collect()
}
