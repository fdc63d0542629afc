//! The models of the simulated proxy and what their upstream does.

/// What a model's upstream does with a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conduct {
    /// LiteLLM makes the answer up itself.
    Mock,
    /// LiteLLM makes a rate limit up itself.
    MockLimited,
    /// The upstream answers.
    Stub,
    /// Nothing listens there.
    Down,
    /// 429 with `Retry-After: 7`.
    Limited,
    /// 500.
    Broken,
    /// 400.
    Refusing,
    /// It takes the request and says nothing.
    Hang,
    /// 200 with a web page.
    Garbage,
    /// A stream is reset in the middle.
    MidCut,
    /// A stream ends in order in the middle.
    MidClose,
    /// A stream has an error in the middle.
    MidErr,
    /// A stream falls silent in the middle.
    MidHang,
}

impl Conduct {
    /// Whether a model works on a request at all, so that it counts.
    pub(super) fn executes(self) -> bool {
        !matches!(self, Self::MockLimited | Self::Down | Self::Limited | Self::Refusing)
    }
}

/// The models, in the order of the list.
pub(super) const MODELS: [(&str, Conduct); 16] = [
    ("mock", Conduct::Mock),
    ("mock-ratelimit", Conduct::MockLimited),
    ("down", Conduct::Down),
    ("stub", Conduct::Stub),
    ("r429", Conduct::Limited),
    ("r500", Conduct::Broken),
    ("r400", Conduct::Refusing),
    ("hang", Conduct::Hang),
    ("garbage", Conduct::Garbage),
    ("midcut", Conduct::MidCut),
    ("midclose", Conduct::MidClose),
    ("miderr", Conduct::MidErr),
    ("midhang", Conduct::MidHang),
    ("embed", Conduct::Stub),
    ("dall-e-3", Conduct::Stub),
    ("whisper-1", Conduct::Stub),
];

pub(super) fn conduct(model: &str) -> Option<Conduct> {
    MODELS.iter().find(|(name, _)| *name == model).map(|(_, conduct)| *conduct)
}
