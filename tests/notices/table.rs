//! Which test produces which cause. A cause without one fails the last test of this file.

use backline::model::Code;

/// What produces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// The cause itself: a port that nobody listens at, a disk that is full.
    Real,
    /// The answer that the real server gave when it was recorded, from the simulated one; `tests/parity` holds it to that.
    Recorded,
    /// What the documentation of a server says; it was not run.
    Documented,
}

macro_rules! produced {
    ($($code:ident: $how:ident, $module:ident::$name:ident;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                // None: this machine lacks what it takes, which was told.
                if let Some(seen) = Box::pin(crate::$module::$name()).await {
                    assert_eq!(seen, Code::$code);
                }
            }
        )*
        const PRODUCED: &[(Code, How)] = &[$((Code::$code, How::$how)),*];
    };
}

produced! {
    ConnectionRefused: Real, reach::nothing_listens_and_then_something_does;
    ContainerLoopback: Real, reach::loopback_in_a_container_is_the_container;
    ConnectionReset: Real, reach::a_connection_that_is_cut;
    ConnectionClosed: Recorded, reach::a_channel_that_the_server_closes;
    NoRoute: Real, reach::a_machine_without_a_network;
    Dns: Real, reach::a_name_that_nobody_knows;
    Tls: Real, tls::a_port_that_speaks_no_tls;
    Tls: Real, tls::an_authority_that_nobody_knows;
    Tls: Real, tls::a_certificate_that_signed_itself;
    Tls: Real, tls::a_certificate_of_openssl_that_is_pinned;
    Tls: Real, tls::a_certificate_that_is_not_the_pinned_one;
    Tls: Real, tls::a_certificate_that_expired_and_is_renewed;
    Tls: Real, tls::a_certificate_for_another_name;
    ConnectTimeout: Real, reach::a_port_whose_backlog_is_full;
    RequestTimeout: Real, reach::a_server_that_does_not_answer_at_all;
    Hang: Real, reach::a_server_that_falls_silent;
    ProxyInTheWay: Recorded, reach::a_gateway_that_answers_in_its_place;
    Flapping: Real, reach::a_connection_that_comes_and_goes;
    ChannelDegraded: Recorded, reach::a_proxy_that_passes_no_websocket;
    Unavailable: Real, reach::nothing_is_ready_in_time;
    WrongProgram: Recorded, server::another_program_is_named;
    VersionUnsupported: Documented, server::a_gradio_that_is_too_old_is_updated;
    VersionOld: Real, server::a_gradio_of_an_untried_version_is_updated;
    VersionVulnerable: Recorded, server::a_version_with_holes_is_updated;
    AuthRequired: Recorded, server::a_key_that_is_missing_is_set;
    AuthWrong: Recorded, server::a_key_that_is_wrong_is_corrected;
    Forbidden: Recorded, server::a_server_that_forbids_us;
    Protocol: Real, server::an_answer_that_is_not_the_protocols;
    TooLarge: Real, server::an_answer_over_the_cap;
    Truncated: Recorded, server::a_stream_that_stops_in_the_middle;
    BackendError: Recorded, server::a_provider_that_fails;
    Loading: Documented, server::a_model_that_is_still_loaded;
    QueueFull: Recorded, server::a_queue_that_is_full_and_empties;
    RateLimited: Recorded, server::a_provider_that_limits_the_rate;
    OutOfMemory: Recorded, server::a_card_that_is_full_and_a_smaller_job;
    BackendMoved: Real, server::a_server_that_moved;
    BackendFound: Real, server::a_server_that_nobody_configured;
    BadRequest: Recorded, work::a_request_that_the_provider_refuses;
    InvalidWorkflow: Recorded, work::a_workflow_with_a_value_out_of_range;
    MissingNode: Recorded, work::a_node_that_is_not_installed;
    MissingModel: Recorded, work::a_model_that_is_not_there;
    EditorWorkflow: Real, work::a_workflow_that_was_saved_in_the_editor;
    NotFound: Recorded, work::a_function_that_the_app_lacks;
    ExecutionFailed: Recorded, work::a_node_that_fails;
    Cancelled: Real, work::an_attempt_that_a_person_cuts_short;
    Lost: Recorded, work::a_server_that_died_with_the_job;
    JobTimeout: Real, work::a_job_that_takes_too_long;
    Expired: Real, work::a_job_that_nobody_takes_in_time;
    KeyConflict: Real, work::a_key_that_is_used_twice;
    JournalFull: Real, work::a_journal_with_too_many_open_jobs;
    Truncated: Real, work::a_server_that_dies_while_it_answers;
    Uncertain: Real, work::a_chat_whose_connection_was_lost;
    Closing: Real, work::a_job_that_a_stop_ends;
    Internal: Real, work::a_job_whose_request_was_damaged_on_the_disk;
    Disk: Real, own::an_output_that_cannot_be_written;
    BadUrl: Real, own::an_address_that_is_none;
    BadConfig: Real, own::a_key_whose_variable_is_missing;
    ConfigInvalid: Real, own::a_file_that_was_saved_with_a_mistake;
    ConfigMasked: Real, own::a_change_under_an_edit;
    Crashed: Real, own::an_actor_that_crashes;
    CrashLoop: Real, own::an_actor_that_keeps_crashing;
    DependencyDown: Real, own::a_backend_whose_need_a_person_paused;
    Paused: Real, own::a_backend_that_a_person_paused;
    DiskTrouble: Real, own::a_disk_that_refuses;
    DiskTrouble: Real, own::a_database_that_another_program_holds;
    DiskFull: Real, own::a_disk_that_is_full;
    StateSalvaged: Real, own::a_database_that_was_damaged;
    HistoryDropped: Real, own::samples_that_are_too_many;
    ClockJump: Real, own::a_clock_that_is_set;
    ClockJump: Real, own::a_clock_that_jumps;
    OutputsBudget: Real, own::files_of_jobs_that_fill_their_budget;
    WebhookFailing: Real, webhook::a_webhook_that_is_off_and_comes_back;
    LatencyHigh: Real, server::answers_that_come_late;
    QueueLong: Recorded, server::a_queue_that_grows;
    SuccessLow: Real, server::checks_that_fail;
    VramLow: Recorded, server::a_card_with_little_memory;
}

#[test]
fn no_cause_is_without_a_producer() {
    for code in Code::ALL {
        let produced = PRODUCED.iter().any(|(of, _)| of == code);
        assert!(produced, "`{code}` is to be produced by a test of this table");
    }
    let documented = PRODUCED.iter().filter(|(_, how)| *how == How::Documented).count();
    assert!(documented <= 2, "a cause that nobody has seen is to be named: {documented}");
    assert!(PRODUCED.iter().any(|(_, how)| *how == How::Recorded));
    assert!(PRODUCED.iter().filter(|(_, how)| *how == How::Real).count() > 30);
}
