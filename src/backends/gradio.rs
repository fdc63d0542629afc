//! Gradio apps of the versions 4, 5 and 6, WanGP's page among them: functions over HTTP, their events over
//! server-sent events. Written against 4.44.1, 5.29.0 and 6.31.0.
//!
//! Three facts shape it. The `app_id` changes at each start of an app: a boot id. A call's stream can be opened once:
//! who loses it loses the result, and a generator is closed with it. And the held `heartbeat` stream shows the death
//! of the app at once.

mod app;
pub mod arguments;
mod cancel;
mod conversation;
mod cookies;
pub mod diff;
mod fetch;
pub mod file;
mod fit;
mod flight;
mod follow;
pub mod function;
mod identify;
mod identity;
mod live;
mod memory;
pub mod message;
mod offer;
pub mod page;
pub mod parameter;
mod probe;
#[cfg(test)]
mod recordings;
pub mod refusal;
mod run;
mod session;
mod simple;
mod stream;
mod upload;
pub mod watch;

pub use conversation::Conversation;
pub use file::FileData;
pub use function::{Function, Functions};
pub use session::Session;
pub use upload::Upload;

use std::sync::Arc;

use futures_util::{StreamExt, future::BoxFuture};

use crate::{
    backends::{
        Connector, Dialed, Target,
        gradio::{
            app::App,
            live::Ear,
            memory::{Dial, Memory},
        },
    },
    model::{Code, Epoch, Fault, Kind},
    net::{Http, Reuse},
};

/// The connector of a Gradio app.
pub struct Gradio {
    target: Arc<Target>,
    http: Http,
    memory: Arc<Memory>,
}

impl Gradio {
    /// A connector for a target.
    ///
    /// # Errors
    /// A setting cannot be used.
    pub fn new(target: Target) -> Result<Self, Fault> {
        let http = target.client(Reuse::Long)?;
        Ok(Self { target: Arc::new(target), http, memory: Arc::default() })
    }

    async fn open(&self) -> Result<Dialed, Fault> {
        let found = identify::identify(&self.http, &self.target).await;
        self.memory.dialed(match &found {
            Ok(found) => Dial::Found(found.boot.clone()),
            Err(fault) if fault.code() == Code::ConnectionRefused => Dial::Refused,
            Err(_) => Dial::Unclear,
        });
        let found = found?;
        let functions = Functions::of(&found.page);
        let (kind, identity) = identity::of(&found.page, &functions, &found.boot);
        if self.target.kind == Kind::Wan2gp && kind != Kind::Wan2gp {
            let title = found.page.title.as_deref().unwrap_or("without a title");
            let message = format!("{} is a Gradio app ({title}), but not WanGP", self.target.address);
            return Err(Fault::new(Code::WrongProgram, message)
                .with_fix("Correct `url`, or set `kind: gradio` to use this app as it is."));
        }
        let app = App::new(found, kind, functions);
        let session = Session::new(self.target.clone(), self.http.clone(), self.memory.clone(), app);
        let session = Arc::new(session);
        probe::wake(&session).await;
        let (ear, channel) = Ear::open(&session).await?;
        Ok(Dialed { session, identity, channel, live: ear.into_stream().boxed() })
    }
}

impl Connector for Gradio {
    fn dial(&self, _epoch: Epoch) -> BoxFuture<'_, Result<Dialed, Fault>> {
        Box::pin(self.open())
    }
}
