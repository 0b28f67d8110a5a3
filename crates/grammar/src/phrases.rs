//! Several words that mean one thing: manners, questions, reports, reasons,
//! constraints, and what is unsafe. What is acted on and measured: `terms.rs`.
//!
//! The longest phrase that begins at a word is taken, before the word itself.

use crate::vocabulary::{C, hint};

/// Values of `C::Priority`.
pub(crate) const URGENT: f64 = 3.0;
pub(crate) const HIGH: f64 = 2.0;
pub(crate) const NORMAL: f64 = 1.0;
pub(crate) const LOW: f64 = 0.0;

/// A polite order: the question mark at its end asks nothing.
pub(crate) const POLITE: f64 = 7.0;
/// `C::Check` at the beginning of a feasibility question.
pub(crate) const CHECK_FIRST: f64 = 1.0;
/// `C::All` as a whole: "everything that runs".
pub(crate) const WHOLE: f64 = 5.0;
/// "the pods we have": tells which, after the thing; before it, tells what is.
pub(crate) const WE_HAVE: f64 = 8.0;

pub(crate) const PHRASES: &[(C, f64, u16, &str)] = &[
    // Politeness.
    (
        C::Fill,
        0.0,
        0,
        "dear operator; hello operator; hi operator; hey operator; hello nephoran; hi nephoran; hey nephoran; dear nephoran; good morning; good afternoon; good evening; good day; thank you; thank you very much; thanks a lot; \
         many thanks; thanks in advance; much appreciated; much obliged; kind regards; best regards; \
         go ahead and; if you please; if you would; if you could; if you don't mind; i would like you to; \
         i'd like you to; i want you to; i need you to; we want you to; we need you to; we'd like you to; \
         we would like you to; be so kind as to; be so kind and; be so good as to; be good enough to; \
         be kind enough to; do me a favour and; do me a favor and; do us a favour and; i would like to; \
         i'd like to; we would like to; we'd like to; i want to; we want to; i need to; we need to; \
         i would love to; we have to; we must; i have to; it is time to; it's time to; feel free to; \
         you should; you may; you need to; you have to; i would like; i'd like; we would like; we'd like; \
         i'd appreciate; i would appreciate; let us; let's; make it so that; see to it that; a total of; \
         hi everyone; hello everyone; \
         at your end; on our side; for me; for us; as requested; as discussed; as agreed; ta very much; \
         quick one; cheers mate; the number of; number of; the count of; count of; the amount of; hi there; \
         hello there; hey there; as follows; the following; today please; morning team; morning folks; \
         morning everyone; good morning team; evening team; afternoon team; a favour; \
         so please; then please; the size of; have a look and; take a moment to; \
         don't hesitate to",
    ),
    (
        C::Fill,
        POLITE,
        0,
        "could you please; can you please; would you please; will you please; could you; can you; would you; \
         will you; could you kindly; can you kindly; would you kindly; would you mind; do you mind; \
         could somebody; can somebody; could someone; can someone; could someone please; can someone please; \
         would somebody; can u; could u; can u please; would you be so kind as to; would you be so kind to; \
         could you be so kind as to; would you be able to; are you able to; could you go ahead and; \
         can you go ahead and; could i ask you to; may i ask you to; can i ask you to; can i get you to; \
         could i get you to; can i have you; could you possibly; might you; can you just; could you just; \
         would you just; could we please have; can we please have; can we have; could we have; can i have; \
         could i have; can we get; could we get; can i get; could i get; can i please get; can we please get; \
         mind; please could you; please can you; please would you; i was wondering if you could; \
         i wonder if you could; would it be possible for you to; is it possible for you to; \
         any chance you could; any chance you can",
    ),
    (
        C::Fill,
        WE_HAVE,
        0,
        "we have; we run; we currently have; we've got; we are running; we currently run; that we have; that we run; it has; they have",
    ),
    (C::Want, 0.0, 0, "could use; can use; could do with; can do with; would do with"),
    (
        C::Show,
        0.0,
        0,
        "check the status; check the state; check the health; get the status; get the state; get the health; fetch the status; pull up the status; check status; get status",
    ),
    (C::Statistic, 2.0, 0, "95 th percentile; 95 th percentile of; p95 of; 95 th-percentile"),
    (C::Statistic, 0.0, 0, "on average; average of; mean of; mean value of; average value of"),
    (C::Remove, 0.0, 0, "free up; freeing up; let go of; let go; parted with; part with; say goodbye to"),
    (C::AtLeast, 1.0, 0, "hits; hit; hitting"),
    (C::Told, 0.0, 0, "going to; has been; have been; had been; used to; about to"),
    (
        C::And,
        0.0,
        0,
        "as well as; along with; together with; and also; and then; and likewise; and additionally; in addition to; and in addition",
    ),
    (C::Pron, 0.0, 0, "something else; some workload; some function; the thing"),
    // Feasibility.
    (
        C::Check,
        CHECK_FIRST,
        0,
        "can we; could we; can i; could i; may we; may i; would we; are we able to; would we be able to; \
         is it possible to; would it be possible to; is it feasible to; would it be feasible to; \
         is there a way to; is there any way to; would it work to; would it be ok to; would it be okay to; \
         is it ok to; is it okay to; is it safe to; would it be safe to; can it be; what happens if we; \
         what happens if; what if we; what if; what would happen if we; what would happen if; \
         what happens when we; suppose we; what if i; what happens if i; what if you; what happens if you; \
         what would happen if you; what would happen if i; do we have room to; is there room to; \
         is there enough room to; is there capacity to; do we have the capacity to; do we have capacity to; \
         do we have enough capacity to; is there enough capacity to; is there space to; do we have space to; \
         is there headroom to; do we have headroom to; do we have the room to; do we have enough room to; \
         can we afford to; could we afford to; can we manage to; could we manage to; is there room for; \
         is there enough room for; is there space for; is there capacity for; do we have room for; \
         do we have capacity for; do we have space for; is there headroom for; do we have headroom for; \
         is it possible for; would it be possible for; check if we can; \
         check whether we can; check if we could; check whether we could; see if we can; see whether we can; \
         see if we could; see whether we could; tell me if we can; tell me whether we can; find out if we can; \
         find out whether we can; check if it is possible to; check whether it is possible to; \
         check whether it's possible to; check if it's possible to; would it be feasible for; \
         is it feasible for; how feasible is it to; feasibility of; feasibility check; feasibility study; \
         feasibility check on; what would it take to; what would be the effect if we; \
         what would be the impact if we; would there be room for; would there be room to; \
         would there be capacity for; would there be capacity to; would there be space for; \
         could one; can one; might we; could we possibly; can we possibly; can we still; \
         could we still; can we also; could we also; do you think we can; do you think we could; \
         any chance we can; any chance we could; any chance to; any chance of; are we in a position to; \
         are there resources to; are there enough resources to; is there enough capacity for; \
         are there enough resources for; do we have the resources to; do we have resources to; \
         do we have the resources for; do we have enough capacity for; feasible to; possible to; \
         hypothetically; theoretically; could it work to; assess whether we can; assess if we can; \
         evaluate whether we can; evaluate if we can; verify whether we can; verify that we can; \
         verify if we can; just checking: can we; simulate; just check if we can; just check whether we can; \
         what will happen if we; what will happen if",
    ),
    // Priority.
    (
        C::Priority,
        URGENT,
        0,
        "urgent; urgently; emergency; immediately; asap; a.s.a.p; as soon as possible; right now; right away; \
         straight away; this is urgent; it's urgent; this is an emergency; it is urgent; with urgency; \
         as a matter of urgency; immediate; with immediate effect; effective immediately; priority urgent; \
         urgent priority; with urgent priority; top urgency; most urgent; as quickly as possible; \
         as fast as possible; an emergency; very urgent; as soon as you can; at urgent priority; \
         priority: urgent; priority is urgent; urgent request; super urgent",
    ),
    (
        C::Priority,
        HIGH,
        0,
        "important; high priority; high-priority; high prio; with high priority; at high priority; \
         priority high; prio high; priority is high; this is important; it's important; it is important; \
         of high priority; high importance; as high priority; as a high priority; in high priority; \
         very important; high-prio; on high priority; a high priority; importantly; treat as high priority; \
         treat this as high priority; this is high priority; this one is important; important one; \
         that's important; this has high priority; it has high priority; high priority please; \
         high priority request",
    ),
    (
        C::Priority,
        NORMAL,
        0,
        "normal priority; normal-priority; with normal priority; at normal priority; priority normal; \
         prio normal; standard priority; regular priority; normal prio; medium priority; default priority",
    ),
    (
        C::Priority,
        LOW,
        0,
        "low priority; low-priority; low prio; with low priority; at low priority; priority low; prio low; \
         no rush; no hurry; no urgency; there is no rush; there's no rush; when convenient; \
         whenever convenient; whenever it is convenient; when it is convenient; when it's convenient; \
         whenever it's convenient; at your convenience; when you have time; whenever you have time; \
         when you find time; when you get a chance; whenever you get a chance; when you have a moment; \
         whenever you have a moment; when you get around to it; whenever it suits; whenever it suits you; \
         when it suits; when it suits you; in your own time; when you get time; whenever you get time; \
         at leisure; at your leisure; of low priority; as low priority; low importance; when time permits; \
         whenever time permits; when there is time; when there's time; whenever you can; when you can; \
         in no hurry; in no rush; there is no hurry; there's no hurry; \
         low-prio; no great hurry; \
         no particular hurry; not in a hurry; take your time; whenever is convenient; when you get a minute; \
         when you have a minute; whenever you have a minute; when you get a moment; \
         whenever you get round to it; when you get round to it; on low priority; as a low priority; \
         this is low priority; it's low priority; whenever you like; when things are quiet; when it's quiet; \
         no need to rush; no need to hurry; low urgency; when possible; when you're free; \
         whenever you're free",
    ),
    // Reports.
    (C::HowMany, 0.0, 0, "how many; what number of; how big is; how large is; how much"),
    (
        C::Show,
        0.0,
        0,
        "tell me about; tell me; tell us; let me know; let us know; show me; show us; let me see; report on; \
         report back on; i want to see; i'd like to see; i want to know; i would like to know; \
         i'd like to know; we want to know; could i see; can i see; can you tell me; could you tell me; \
         can you show me; could you show me; would you show me; would you tell me; have a look at; look at; \
         take a look at; look up; can we see; could we see; may i see; how is; how are; how's; what is; \
         what's; what are; where is; where are; do we have; do we have any; have we got; is there; is there a; \
         is there an; are there any; are there; how does; how do; look like; looks like; find out; \
         which; what does; what do; what; how; have a look; fill me in on; brief me on; \
         can you list; could you list; check on; check up on; i need to know; we need to know; need to know; \
         want to know; tell me whether; tell me if; let me know whether; let me know if; curious; wondering; \
         update me on; see how; show whether; find out whether; find out if; check whether; check if; \
         see whether; see if; report whether; are we running; do i have; print me; print out; show me how; \
         tell me how; tell me what; show me what; tell me which; show me which; tell me how many; \
         show me how many; what sort of; what kind of; bring me up to date on; run me through",
    ),
    (
        C::Status,
        0.0,
        0,
        "current state; current status; status report; health check; health report; up to date picture; \
         current health; status update; state of play; run state; replica status; health status; \
         status overview; a report on; report on; report about; a report; an overview; overview of; report of; \
         current condition; the latest on; a summary; doing; getting on; coming along; faring; holding up; \
         feeling; behaving; performing; looking; an update on; updates on; in good health; in good shape; \
         an update; the news on; any news on; any news of; news on; doing right now; a status; \
         performing right now; current picture; present state; latest state; present status; latest status; \
         condition",
    ),
    (
        C::Alive,
        0.0,
        0,
        "up and running; in service; in operation; at the moment; in use; in place; up right now; \
         right now up; still there; out there; running right now; running now; running currently; \
         running at the moment; currently running; still running; still up; still alive; still healthy; \
         all right; alive and well; alive and kicking; present; up now; are up; still going; still working; \
         working; working properly; in good order; on its feet; responding; answering; reachable; serving; \
         actually running; presently running; presently; at present; still; there at the moment; \
         there right now; there now; deployed at the moment",
    ),
    (
        C::All,
        WHOLE,
        0,
        "full inventory; the full inventory; the inventory; inventory; whole inventory; complete inventory; \
         entire inventory; the whole inventory; everything; every workload; all workloads; all the workloads; \
         all of the workloads; all network functions; all the network functions; every network function; \
         the whole network; the entire network; whole network; entire network; everything running; \
         everything that runs; everything that is running; everything we have; everything we run; \
         everything deployed; all of it; the complete inventory; the entire inventory; all deployments; \
         all nfs; every nf; every deployment; all functions; everything you know; whole system; \
         the whole system; all running workloads; all the running workloads; every running workload; \
         all running network functions; what is running; what's running; what runs; what do we run; \
         what do we have; what have we got; what is deployed; what's deployed; what is there; \
         all of our workloads; all our workloads; all our network functions; everything that's running; \
         everything in the inventory; what is currently running; what's currently running; \
         what are we running; what is up; what's up and running; what is up and running; the lot; \
         what all is running; all things; everything that is deployed; everything that's deployed; \
         the entire system; all the functions; our inventory; our whole network; our entire network; \
         the full picture; full picture; full status; whole estate; the whole estate; the entire estate; \
         entire estate; full overview; complete overview; the complete picture; everything there is; \
         all services; all the network; complete list of workloads; the full list of workloads; \
         list of workloads; workload list",
    ),
    // Bounds of a size.
    (
        C::Only,
        1.0,
        0,
        "only ever; only on; only use; only in; may only; must only; shall only; can only; exclusively on; \
         exclusively use; nowhere but",
    ),
    (
        C::Must,
        1.0,
        0,
        "has to; have to; is obliged to; is required to; is bound to; are required to; must always; \
         shall always; obliged to",
    ),
    (
        C::Forbid,
        0.0,
        0,
        "must not; mustn't; must never; shall not; shall never; may not; may never; not allowed; \
         not permitted; is not allowed; is not permitted; never; is not to; are not to; must not ever; \
         do not ever; don't ever; not ever; under no circumstances; not be allowed; no longer allowed; \
         must under no circumstances; is never to; are never to; should never; can never; at no time; \
         never ever; is not supposed to; off limits; no access; is off limits; is off-limits",
    ),
    (
        C::Avoid,
        0.0,
        0,
        "keep away; keep away from; stay away; stay away from; stays away from; kept away from; \
         keeping away from; steer clear of; stay clear of; keep clear of; stay off; keep off; \
         keep well away from; stay well away from; kept off; away from; clear of; steer away from; \
         move away from; moved away from; shift away from; push away from; off load; better not use; \
         give a wide berth; wide berth to; draw away from; take load off; off-loaded from",
    ),
    (
        C::Prefer,
        0.0,
        0,
        "give preference to; giving preference to; gives preference to; have a preference for; \
         with a preference for; with preference for; preference for; preferred for; first choice; \
         as first choice; the preferred cell; by preference; a preference for; is the preferred choice; \
         preferred choice; the favourite; favourite; as the preferred; has a preference for; preferred cells; \
         preferred cell; home on",
    ),
    // Changes.
    (
        C::Change,
        0.0,
        0,
        "last change; latest change; most recent change; last modification; latest modification; \
         most recent modification; last action; latest action; last operation; latest operation; \
         recent change; previous change; last edit; latest edit; most recent edit; last update; latest update; \
         most recent update; newest change; last adjustment; latest adjustment; most recent action; \
         most recent adjustment; most recent operation; last scaling; last change made; last change made to; \
         last change applied; last change that was made; change made last; what was last done; \
         last change we made; last thing done; last thing that was done; last thing we did; last upgrade; \
         last configuration change; last deployment; last commit; latest commit; most recent commit; \
         preceding change; last scale; last scaling action; last rollout; latest rollout; last scale-out; \
         last scale-in; very last change",
    ),
    // Recognised constraints without a field.
    (
        C::Time,
        0.0,
        0,
        "next week; next month; next weekend; this week; this weekend; this evening; this afternoon; \
         this morning; next year; in an hour; in a minute; in a moment; in a few minutes; in a while; \
         for a while; for now; for the moment; for the time being; for the night; for the day; for today; \
         for the weekend; for the week; at night; at noon; at midnight; over the weekend; over night; \
         at the weekend; on weekends; on weekdays; at weekends; every day; every night; every morning; \
         every evening; each day; each night; each morning; every hour; rush hour; rush hours; busy hour; \
         busy hours; peak hour; peak hours; off peak; maintenance window; time window; change window; \
         in the morning; in the evening; in the afternoon; in the night; first thing; from now on; \
         until further notice; as of; as from; starting at; starting from; effective from; with effect from; \
         for the duration of; in the meantime; end of day; end of the day; close of business; at peak; \
         as before; back to; later on; for a bit; in due course; in the future; for good; by tomorrow; \
         by tonight; half an hour; in half an hour; at lunchtime; as it was; one by one; step by step; \
         in stages; in steps; in waves; in batches; bit by bit; little by little; over time; every time; \
         one at a time; slowly; gradually; not before; not until; no later than; no earlier than; \
         not later than; not after; at the latest; at the earliest; to begin with; for the match; \
         during the match; for the event; quarter of an hour; for the holidays; a day; a week; an hour; \
         a minute; a month; a night; the other day",
    ),
    (
        C::Cond,
        0.0,
        0,
        "as long as; so long as; on condition that; on the condition that; provided that; in case; in case of; \
         in the event of; in the event that; assuming that; if and only if; only if; only when; if possible; \
         where possible; if necessary; if needed; if required; where necessary; if need be; if it fits; \
         in that case; subject to; depending on; other than; apart from; except for; if nobody objects; \
         without affecting; without breaking; without impacting; without touching; in parallel; \
         at the same time; at once; simultaneously; in sequence; in order; in that order; failing that; \
         or else; otherwise; and if that fails; if that fails; if that works; if this works; if that is ok; \
         if that's ok; if allowed; to the extent possible; as far as possible; if it is safe; \
         unless told otherwise; contingent on; for as long as",
    ),
    (
        C::Hardware,
        0.0,
        0,
        "without interruption; without downtime; without an outage; without outage; without any downtime; \
         without any interruption; without disruption; without any disruption; without service interruption; \
         zero downtime; zero-downtime; no downtime; no interruption; hit-less; with no downtime; \
         without dropping sessions; without dropping calls; without losing sessions; without losing traffic; \
         without packet loss; without loss; without restart; without restarting; without a restart; \
         without traffic loss; without touching traffic; bare metal; availability zone; node pool; \
         worker node; worker nodes; different nodes; separate nodes; different hosts; separate hosts; \
         spread across; spread over; rolling update; rolling upgrade; rolling fashion; make before break; \
         one node; same node; same host; red hat; high memory; high cpu; dedicated cores; dedicated hardware; \
         in a rolling manner; in-service; with zero downtime; spot instances; spot machines; resource limits; \
         cpu limit; memory limit; cpu request; memory request; cpu limits; memory limits; cpu requests; \
         memory requests; quality gate; maintenance mode; cpu pinning; gpu nodes",
    ),
    (
        C::Notify,
        0.0,
        0,
        "let me know when; tell me when; tell us when; let us know when; let me know once; tell me once; \
         let us know once; send me; send us; send an; send a; send the; write to; give me a call; \
         give me a shout; drop me; report back; keep me posted; keep us posted; keep me informed; \
         keep me updated; keep us informed; open a ticket; open an incident; raise a ticket; \
         raise an incident; raise an alarm; raise an alert; raise a change; create a ticket; \
         create an incident; file a ticket; file an incident; file a bug; write it down; take a note; \
         tell the; tell bob; post in; post to; update the ticket; close the ticket; cc; reply to; \
         make a note; copy in; log it; log the change; log this; phone me; call me; page the; page me; \
         text me; mail me; email me; open a change request; change request; send out; shout when; \
         give a shout; report to; tell everyone; tell operations; let everyone know; let operations know; \
         let the team know; tell me afterwards; document it; document this; add a comment; leave a note; \
         put a note; inform me",
    ),
    (
        C::Unsupported,
        0.0,
        0,
        "show me the logs; the logs; log files; stop the; bring it back; cell restart; energy savings; \
         service restart",
    ),
    // Reasons.
    (
        C::Motive,
        0.0,
        0,
        "because; because of; since; so that; due to; owing to; thanks to; so; on account of; in view of; \
         given that; in light of; in order to; to cope with; to handle; to absorb; to deal with; \
         to prepare for; to be ready for; to be prepared for; to serve; to relieve; to keep up with; \
         to accommodate; to get through; to survive; to avoid overload; as a precaution; to be safe; \
         to be on the safe side; just in case; as we expect; as we are expecting; as traffic; as load; \
         as demand; as users; as customers; as it is; as the; in anticipation of; to make room for; \
         to support the; to save cost; to save costs; to save money; to save resources; to free up; \
         to satisfy; to ease; in preparation for; to cater for; to weather; to master; to be able to; \
         to improve; to give us; to sustain; to ride out; to offset; to respond to; to address; to tackle; \
         to mitigate; to counter; to soak up; to smooth; to lighten; to economise; to economize; to cut costs; \
         to cut cost; as there is; as there are; as there's; as it's; as they; as our; seeing that; seeing as; \
         considering; considering that; inasmuch as; reason:; reason; rationale; motivation; for the sake of; \
         in response to; as a result of; out of caution; with regard to; on the grounds that; the reason is; \
         the reason being; for reasons of; to help with; to fight; to compensate; to compensate for",
    ),
    (
        C::Unknown,
        0.0,
        hint::SECRET,
        "private key; private keys; api key; api keys; ssh key; ssh keys; signing key; encryption key; tls key; access key; access keys; admin login; root login; kube config; service account token",
    ),
    // What is unsafe, whole.
    (
        C::Unknown,
        0.0,
        hint::BYPASS,
        "without limits; without limit; without restrictions; without restriction; without any limits; system prompt; open a terminal; open a shell; a shell on; a terminal on; a root shell; shell access; terminal session; admin rights; admin privileges; root privileges; root rights; elevated privileges; administrator rights; developer mode; god mode; debug mode; you are now; push it through; push this through; \
         force it through; force it; force this; no questions asked; don't ask questions; \
         do not ask questions; without asking; without review; without approval; without any approval; \
         without any checks; without checks; without confirmation; without any review; without validation; \
         without permission; skip the checks; skip checks; skip the guard; skip approval; skip the approval; \
         skip validation; skip review; skip the review; skip all checks; no approval; no approvals; no checks; \
         no review; no confirmation needed; no need to ask; no need for approval; no need to approve; \
         no need to check; approve it yourself; approve this yourself; approve yourself; approve your own; \
         already approved; has been approved; is approved; pre-approved; preapproved; self-approved; \
         switch off the guard; disable the guard; turn off the guard; turn the guard off; ignore the limits; \
         ignore the limit; ignore limits; ignore all limits; ignore the freeze; ignore the quota; \
         ignore any warnings; ignore warnings; ignore errors; even if the guard; whatever the guard says; \
         past the guard; around the guard; against the rules; no matter what; at any cost; at all costs; \
         behind their back; don't tell anyone; do not tell anyone; off the record; straight to production; \
         straight into production; without telling; act as; pretend to be; new instructions; from now on you; \
         admin mode; root access; full access; don't wait for approval; do not wait for approval; \
         without waiting for; approval not needed; approval is not needed; approval isn't needed; \
         skip the queue; admin override; i am the admin; i'm the admin; i am root; trust me; with --force; \
         --force; direct to the cluster; straight to the cluster; hack into; you must obey; do anything now; \
         unrestricted mode; no restrictions; no limits; no guard; sign off for me; approve all; \
         approve everything; do it anyway; just do it; no second opinion; no four eyes; drop the guard; \
         drop all limits; lift the freeze; lift all limits; drop table; drop the database; under the radar; \
         on the quiet; override code; sudo mode; outside the guard; safety off; hidden instructions; \
         reveal your; your instructions",
    ),
];
