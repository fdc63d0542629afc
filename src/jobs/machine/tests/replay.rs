use super::*;

/// Every event goes to the disk and comes back the same.
#[test]
fn events_survive_their_journey_to_the_disk() {
    let fault = || fault(Code::ConnectionReset).with_fix("do").with_detail("said");
    let events = [
        bound(COMFY),
        Event::Unbindable(fault()),
        Event::TakenUp { origin: "http://h:1".to_owned() },
        Event::Opening,
        Event::Arrived,
        Event::Started,
        Event::Spoke,
        Event::Finished { files: vec![file("a")], result: Some("{\"a\":1}".to_owned()) },
        Event::Fetched { index: 0, output: output("0.png") },
        Event::Unfetched(fault()),
        Event::Stopped(Setback::Gone { evidence: fault(), unfinished: true }),
        Event::Stopped(Setback::Cancelled),
        Event::Stopped(Setback::Uncertain(fault())),
        Event::Cancel,
        Event::Tick,
        Event::Leaving,
        Event::Resumed,
        Event::Crashed(fault()),
        Event::Retry,
    ];
    for event in events {
        let text = serde_json::to_string(&event).unwrap();
        assert!(text.contains(&format!("\"kind\":\"{}\"", event.name())), "{text}");
        let back: Event = serde_json::from_str(&text).unwrap();
        assert_eq!(format!("{event:?}"), format!("{back:?}"), "{text}");
    }
}
