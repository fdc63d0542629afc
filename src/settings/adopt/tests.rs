//! Single sweeps, and random histories of servers that start, stop and move.

use proptest::prelude::*;

use super::*;
use crate::{config::Edits, model::Kind, settings::layers::Layers};

fn find(kind: Kind, port: u16, identity: &str) -> Find {
    Find::new(kind, Address::loopback(port), identity)
}

fn id(text: &str) -> BackendId {
    text.parse().unwrap()
}

/// The settings of a process, without the process: layers, edits, book.
struct Place {
    given: Config,
    edits: Edits,
    book: Book,
}

impl Place {
    fn new(adopt: Adopt, configured: &[(&str, Kind, u16)]) -> Self {
        let mut given = Config::new();
        given.discovery.adopt = adopt;
        for (id, kind, port) in configured {
            let mut backend = BackendConfig::new(id.parse().unwrap(), *kind, Address::loopback(*port));
            backend.source = Source::File;
            given = given.backend(backend);
        }
        Self { given, edits: Edits::default(), book: Book::default() }
    }

    fn running(&self) -> Config {
        Layers::Given(Box::new(self.given.clone())).load(&self.edits, &self.book).unwrap().config
    }

    /// A sweep that finds this, while everything else refuses.
    fn sweep(&mut self, finds: &[Find]) -> Ruling {
        let running = self.running();
        let here = |url: &Address| finds.iter().any(|find| Spot::of(&find.url) == Spot::of(url));
        let refusing = running.backends.values().filter(|b| !here(&b.url)).map(|b| b.id.clone()).collect();
        let situation =
            Situation { bare: &self.given, running: &running, reserved: &[], refusing: &refusing };
        let ruling = rule(&self.book, &situation, finds);
        self.book = ruling.book.clone();
        ruling
    }

    fn backends(&self) -> Vec<(String, u16)> {
        self.running().backends.values().map(|b| (b.id.to_string(), b.url.port())).collect()
    }
}

fn named(id: &str, port: u16) -> (String, u16) {
    (id.to_owned(), port)
}

#[test]
fn what_is_found_becomes_a_backend_once() {
    let mut place = Place::new(Adopt::WhenEmpty, &[]);
    let finds = [
        find(Kind::Comfyui, 8188, "c"),
        Find::new(Kind::Comfyui, Address::parse("[::1]:8188").unwrap(), "c"),
        find(Kind::Gradio, 7860, "g"),
        find(Kind::Gradio, 7861, "g"),
    ];
    let ruling = place.sweep(&finds);
    assert_eq!(ruling.news.len(), 3);
    let now = [named("comfyui", 8188), named("gradio", 7860), named("gradio-2", 7861)];
    assert_eq!(place.backends(), now, "two identical apps are two");
    let again = place.sweep(&finds);
    assert!(again.news.is_empty() && again.proposals.is_empty(), "{again:?}");
    assert_eq!(place.backends(), now);
}

#[test]
fn a_backend_that_moved_is_followed_and_keeps_its_name() {
    let mut place = Place::new(Adopt::WhenEmpty, &[]);
    place.sweep(&[find(Kind::Comfyui, 8188, "c"), find(Kind::Gradio, 7860, "g")]);
    let ruling = place.sweep(&[find(Kind::Comfyui, 8000, "c"), find(Kind::Gradio, 7860, "g")]);
    assert!(matches!(&ruling.news[..], [News::Moved { to, .. }] if to.port() == 8000), "{ruling:?}");
    assert_eq!(place.backends(), [named("comfyui", 8000), named("gradio", 7860)]);
    // A stranger is not it.
    let ruling = place.sweep(&[find(Kind::Comfyui, 4000, "another"), find(Kind::Gradio, 7860, "g")]);
    assert!(matches!(&ruling.news[..], [News::Adopted { .. }]), "{ruling:?}");
    assert_eq!(place.backends().len(), 3);
}

#[test]
fn one_that_answers_does_not_move() {
    let mut place = Place::new(Adopt::WhenEmpty, &[]);
    place.sweep(&[find(Kind::Comfyui, 8188, "c")]);
    place.sweep(&[find(Kind::Comfyui, 8188, "c"), find(Kind::Comfyui, 8000, "c")]);
    assert_eq!(place.backends(), [named("comfyui", 8188), named("comfyui-2", 8000)]);
}

#[test]
fn which_of_two_moved_is_not_guessed() {
    let mut place = Place::new(Adopt::WhenEmpty, &[]);
    place.sweep(&[find(Kind::Gradio, 7860, "g"), find(Kind::Gradio, 7861, "g")]);
    let before = place.backends();
    let ruling = place.sweep(&[find(Kind::Gradio, 7865, "g")]);
    assert_eq!(ruling.proposals.len(), 1);
    assert_eq!(ruling.proposals[0].why, Why::Ambiguous);
    assert_eq!(place.backends(), before, "none moves, none is doubled");
    // One of them came back: the other is the one that moved.
    place.sweep(&[find(Kind::Gradio, 7860, "g"), find(Kind::Gradio, 7865, "g")]);
    assert_eq!(place.backends(), [named("gradio", 7860), named("gradio-2", 7865)]);
}

#[test]
fn with_something_configured_a_find_is_proposed() {
    let mut place = Place::new(Adopt::WhenEmpty, &[("mine", Kind::Comfyui, 8188)]);
    let ruling = place.sweep(&[find(Kind::Comfyui, 8188, "c"), find(Kind::Gradio, 7860, "g")]);
    assert!(ruling.news.is_empty(), "{ruling:?}");
    assert_eq!(ruling.proposals.len(), 1, "the configured one is no news");
    assert_eq!((ruling.proposals[0].id.as_str(), &ruling.proposals[0].why), ("gradio", &Why::Policy));
    assert_eq!(place.backends(), [named("mine", 8188)]);
    place.given.discovery.adopt = Adopt::Always;
    place.sweep(&[find(Kind::Gradio, 7860, "g")]);
    assert_eq!(place.backends(), [named("mine", 8188), named("gradio", 7860)]);
    place.given.discovery.adopt = Adopt::Never;
    assert_eq!(place.backends(), [named("mine", 8188)], "what was adopted goes with the policy");
}

#[test]
fn a_configured_backend_never_moves_by_itself() {
    for adopt in Adopt::ALL {
        let mut place = Place::new(adopt, &[("mine", Kind::Comfyui, 8188)]);
        place.sweep(&[find(Kind::Comfyui, 8188, "c")]);
        let ruling = place.sweep(&[find(Kind::Comfyui, 8000, "c")]);
        assert!(
            matches!(&ruling.news[..], [News::Offered { id, to, .. }] if id.as_str() == "mine" && to.port() == 8000),
            "{ruling:?}"
        );
        assert_eq!(place.backends(), [named("mine", 8188)], "and it is not doubled");
        assert_eq!(ruling.proposals[0].why, Why::MayBe(id("mine")));
    }
}

#[test]
fn a_backend_that_was_taken_out_is_not_found_again() {
    let mut place = Place::new(Adopt::WhenEmpty, &[]);
    place.sweep(&[find(Kind::Comfyui, 8188, "c")]);
    place.edits.remove("backends.comfyui");
    assert!(place.backends().is_empty());
    let running = place.running();
    let (reserved, refusing) = ([id("comfyui")], HashSet::new());
    let situation =
        Situation { bare: &place.given, running: &running, reserved: &reserved, refusing: &refusing };
    let ruling = rule(&place.book, &situation, &[find(Kind::Comfyui, 8188, "c")]);
    assert!(ruling.news.is_empty() && ruling.proposals.is_empty(), "{ruling:?}");
}

#[test]
fn a_configured_backend_takes_the_place_of_the_found_one() {
    let mut place = Place::new(Adopt::Always, &[]);
    place.sweep(&[find(Kind::Comfyui, 8188, "c"), find(Kind::Gradio, 7860, "g")]);
    place.given =
        Place::new(Adopt::Always, &[("studio", Kind::Comfyui, 8188), ("gradio", Kind::Gradio, 1)]).given;
    assert_eq!(place.backends(), [named("studio", 8188), named("gradio", 1)]);
    place.sweep(&[find(Kind::Comfyui, 8188, "c"), find(Kind::Gradio, 7860, "g")]);
    let names: Vec<_> = place.backends().into_iter().map(|(id, _)| id).collect();
    assert_eq!(names, ["studio", "gradio", "gradio-2"], "the app keeps a backend, under a free name");
}

/// What happens to one of the servers.
#[derive(Debug, Clone, Copy)]
enum Act {
    Start(usize, u16),
    Stop(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        (0..6_usize, 0..8_u16).prop_map(|(server, port)| Act::Start(server, port)),
        (0..6_usize).prop_map(Act::Stop),
    ];
    proptest::collection::vec(act, 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Six servers, of which the last two have one fingerprint. A sweep follows each act. Kept apart, no server comes
    /// up where another was.
    #[test]
    fn no_backend_is_lost_and_none_is_doubled(acts in acts(), apart in any::<bool>()) {
        let mut place = Place::new(Adopt::WhenEmpty, &[]);
        let mut ports: [Option<u16>; 6] = [None; 6];
        let mut before: Vec<(String, u16)> = Vec::new();
        for act in acts {
            let act = match act {
                Act::Start(server, port) if apart => Act::Start(server, 8 * server as u16 + port),
                act => act,
            };
            match act {
                Act::Start(server, port) if !ports.contains(&Some(port)) => ports[server] = Some(port),
                Act::Start(..) => {}
                Act::Stop(server) => ports[server] = None,
            }
            let finds: Vec<_> = ports
                .iter()
                .enumerate()
                .filter_map(|(server, port)| Some(find(Kind::Gradio, 7860 + (*port)?, &format!("{}", server.min(4)))))
                .collect();
            let ruling = place.sweep(&finds);
            let now = place.backends();
            let ids: HashSet<_> = now.iter().map(|(id, _)| id.clone()).collect();
            prop_assert_eq!(ids.len(), now.len());
            let spots: HashSet<_> = now.iter().map(|(_, port)| *port).collect();
            prop_assert_eq!(spots.len(), now.len(), "two backends at one address: {:?}", now);
            for (id, _) in &before {
                prop_assert!(ids.contains(id), "`{}` is lost", id);
            }
            for find in &finds {
                let port = find.url.port();
                let stands = spots.contains(&port) || ruling.proposals.iter().any(|p| p.find.url.port() == port);
                prop_assert!(stands, "the server at {} is neither backend nor proposal", port);
            }
            // Servers with a fingerprint of their own have one backend at most, wherever they went.
            for print in ["0", "1", "2", "3"].into_iter().filter(|_| apart) {
                let count = place.book.adopted().filter(|known| known.identity == print).count();
                prop_assert!(count <= 1, "{} backends of server {}", count, print);
            }
            before = now;
        }
    }
}
