//! Several words that mean one thing: verbs, nouns, comparisons, numbers,
//! functions in full. Nothing here decides anything.

use nephoran_model::proposal::Function as F;

use crate::vocabulary::{C, hint};
use crate::words::{metric, unit};

const fn of(function: F) -> f64 {
    function as u8 as f64
}

pub(crate) const TERMS: &[(C, f64, u16, &str)] = &[
    // Directions and verbs of several words.
    (
        C::Grow,
        0.0,
        0,
        "beef up; bump up; scale out; scale up; ramp up; step up; pump up; crank up; jack up; push up; \
         dial up; turn up; go up; gone up; going up; goes up; upped; upping; raise up; size up; bulk up; \
         move up; scales up; scales out; scaled up; scaled out; scaling up; scaling out; auto scale out; \
         auto scale up; nudge up; stepped up; ramped up; bumped up; grow out; went up; build up; kick up",
    ),
    (
        C::Shrink,
        0.0,
        0,
        "scale down; wind down; ramp down; step down; dial down; cut back; scale back; cut down; trim down; \
         slim down; pare down; turn down; bring down; take down to; thin out; go down; going down; goes down; \
         wound down; winding down; size down; drop down; scales down; scaled down; \
         scaling down; tone down; cutting back; scaled back; scaling back; dialled down; \
         stepped down; ramped down; whittle down; crank down; draw down; move down; knock down; tick down; \
         nudge down; dialed back; dial back; trim back; pull back; take it down; brought down",
    ),
    (C::Scale, 0.0, 0, "change the size of; set the size of; set the scale of; re scale"),
    (
        C::Retire,
        0.0,
        hint::DESTROY,
        "out of service; out of operation; out of commission; get rid of; tear down; tore down; torn down; tearing down; take down; taken down; \
         take out of service; taking down; phase out; phased out; phasing out; dispose of; do away with; \
         put out of service; shut down for good; throw out; throw away; be gone; pull out; rip out; strip out; \
         clear out; spin down; taken out of service; gotten rid of; got rid of; getting rid of; clean up; \
         cleaned up; cleaned out; clean out; cleaning up; bring to an end; take out; put to rest; \
         say goodbye to; no longer needed; no longer required; not needed any more; not needed anymore; \
         not required any more; can go; may go; should go; has to go; must go; needs to go; is to go; \
         shall go; have to go; decommissioning of; removal of; taken away",
    ),
    (
        C::Deploy,
        0.0,
        0,
        "roll out; rolled out; rolling out; bring in; brought in; bringing in; put in place; stand up; \
         standing up; stood up; deployment of; set up; setting up; sets up; bring into service; \
         brought into service; put into service; bring online; brought online; bring to life; installation of; \
         rollout of; creation of; instantiation of; need a new; want a new; needs a new; need a fresh; \
         want a fresh; put into operation; bring into operation",
    ),
    (
        C::Launch,
        0.0,
        0,
        "spin up; spun up; spinning up; fire up; fired up; firing up; bring up; brought up; bringing up; \
         start up; starting up; started up; boot up; booted up; booting up; kick off; kick up; light up; \
         crank out; spins up; fires up",
    ),
    (C::Create, 0.0, 0, "open up; opened up; opening up; carve out; carved out; carving out"),
    (
        C::Undo,
        0.0,
        0,
        "roll back; rolled back; rolling back; back out; backed out; backing out; take back; taken back; \
         rolls back; put back; roll-back of; reversal of",
    ),
    (
        C::Keep,
        0.0,
        0,
        "make sure; make sure that; see that; see to it that; ensure that; makes sure; making sure; \
         be sure that",
    ),
    (
        C::Keep,
        0.0,
        0,
        "while leaving; while keeping; while retaining; while maintaining; while holding; but keep; but leave; but keeping; but leaving; and leave at; while staying; whilst keeping; whilst leaving",
    ),
    (
        C::Carry,
        0.0,
        0,
        "good for; rated for; rated at; sized for; dimensioned for; fit for; big enough for; large enough for; ready for; room for; able to handle; able to carry; \
         able to serve; capable of; capable of handling; capable of carrying; capable of serving; that can handle; that can carry; that can serve; that handles; that carries; \
         which can handle; which can carry; that supports; that can support; able to support; able to take; that can take; big enough to handle; strong enough for; specified for; \
         designed for; built for; suitable for; scoped for; with room for; enough for; good to handle; able to cope with; that copes with; with space for; fit to carry; fit to handle; provisioned for; equipped for; \
         with a capacity of; with capacity for; with capacity of; with a capacity for; at a capacity of",
    ),
    (C::Enable, 0.0, 0, "switch on; switched on; switching on; turn on; turned on; turning on"),
    (C::Disable, 0.0, 0, "switch off; switched off; switching off; turn off; turned off; turning off"),
    (C::Add, 0.0, 0, "put in another; top up; topped up; topping up; supplement"),
    (
        C::Unsupported,
        0.0,
        0,
        "shut down; shuts down; power off; powered off; power down; energy saving; energy-saving; save energy; \
         power saving; save power; sleep mode; put to sleep; fail over; back up the; take offline; \
         take it offline; bring back; bring offline; power cycle; run a test; self heal; carbon footprint; \
         wake up; take a snapshot; take a backup; failed over; shut off; swap out; hand over; \
         copy of the config",
    ),
    // Nouns of several words.
    (C::Noun, 0.0, 0, "network function; network functions; network element; network elements"),
    (C::Ns, 0.0, 0, "name space; k8s namespace; kubernetes namespace"),
    (
        C::Cluster,
        0.0,
        0,
        "workload cluster; edge cluster; edge site; k8s cluster; kubernetes cluster; regional cluster; \
         core cluster",
    ),
    (C::Tac, 0.0, 0, "tracking area; tracking areas; tracking area code; tracking area codes"),
    (
        C::Pdu,
        0.0,
        0,
        "pdu session; pdu sessions; pdu-session; pdu-sessions; simultaneous pdu sessions; \
         concurrent pdu sessions",
    ),
    (C::Sessions, 0.0, 0, "simultaneous sessions; concurrent sessions; parallel sessions; active sessions"),
    (
        C::UeNoun,
        0.0,
        0,
        "user equipment; connected devices; connected ues; active ues; attached ues; concurrent devices; \
         simultaneous devices; concurrent ues; simultaneous ues; smart meters; smart meter; connected users; \
         active users; registered ues; iot devices; user equipments; simultaneous users; concurrent users; \
         iot sensors; things",
    ),
    (C::Subscribers, 0.0, 0, "registered subscribers; active subscribers"),
    (C::SliceWord, 0.0, 0, "network slice; network slices"),
    (C::ServiceWord, 0.0, 0, "enhanced mobile broadband; enhanced mobile broad band; mobile broadband"),
    (
        C::ServiceWord,
        1.0,
        0,
        "ultra reliable low latency; ultra-reliable low-latency; ultra reliable low latency communication; \
         ultra-reliable low-latency communication; ultra reliable low latency communications; \
         ultra-reliable low-latency communications; ultra-reliable low latency; ultra reliable low-latency; \
         ultra reliable and low latency; ultra-reliable and low-latency; ultra-reliable-low-latency; \
         ultra-reliable low latency communication; ultra-reliable low latency communications; \
         ultra reliable, low latency; ultra-reliable, low-latency",
    ),
    (
        C::ServiceWord,
        2.0,
        0,
        "massive iot; massive machine type communication; massive machine type communications; \
         massive machine-type communication; massive machine-type communications; massive internet of things; \
         massive-iot",
    ),
    (C::ServiceWord, 3.0, 0, "vehicle to everything; vehicle-to-everything; cellular v2x; c-v2x"),
    (
        C::Metric,
        metric::PRB,
        0,
        "prb usage; prb utilisation; prb utilization; prb load; physical resource block usage; \
         physical resource block utilisation; physical resource block utilization; resource block usage; \
         resource block utilisation; prb consumption; usage of prbs; use of prbs; prb occupancy; \
         resource block utilization",
    ),
    (
        C::Metric,
        metric::CPU,
        0,
        "cpu usage; cpu load; cpu utilisation; cpu utilization; cpu consumption; processor load; \
         processor usage; cpu use; processor utilisation; processor utilization; compute load",
    ),
    (
        C::Metric,
        metric::MEMORY,
        0,
        "memory usage; memory consumption; memory utilisation; memory utilization; memory load; ram usage; \
         memory use; memory footprint; ram consumption; ram utilisation; ram utilization",
    ),
    (
        C::Metric,
        metric::LATENCY,
        0,
        "end to end latency; end-to-end latency; round trip time; packet delay; end to end delay; \
         end-to-end delay; user plane latency; e2e latency; e2e delay; network latency; transport latency; \
         packet latency",
    ),
    (
        C::Metric,
        metric::THROUGHPUT,
        0,
        "user throughput; cell throughput; data throughput; traffic throughput",
    ),
    (C::Metric, metric::BANDWIDTH, 0, "data rate; bit rate; data rates; bit rates; line rate; bandwidth of"),
    (
        C::Metric,
        metric::PACKET_LOSS,
        0,
        "packet loss; packet loss rate; packet-loss; packet loss ratio; packet drop rate; lost packets; \
         packets lost; packet drops; loss of packets; packetloss",
    ),
    (C::Metric, metric::AVAILABILITY, 0, "service availability"),
    (
        C::Metric,
        metric::ENERGY,
        0,
        "energy consumption; power consumption; energy usage; power usage; energy use; power draw; \
         energy draw; electricity use; power use",
    ),
    (
        C::Metric,
        metric::OTHER,
        0,
        "call drop rate; drop call rate; signal strength; signal quality; handover failure; handover failures; \
         handover success; error rate; customer happiness; user satisfaction; customer satisfaction; \
         block error rate; dropped calls; call drops; queue length; queue depth; disk usage; disk space; \
         success rate; error rates; registration failures; drop rate; handover success rate; handover rate; \
         setup time; request rate; disk utilisation",
    ),
    (C::Subscribers, 0.0, 0, "subscriber count"),
    (
        C::Sessions,
        0.0,
        0,
        "session count; session ceiling; session limit; session capacity; session cap; number of sessions; \
         session quota; session maximum; session load; session numbers",
    ),
    (
        C::Subscribers,
        0.0,
        0,
        "subscriber ceiling; subscriber limit; subscriber capacity; subscriber cap; number of subscribers; \
         subscriber quota; subscriber maximum; subscriber numbers",
    ),
    (
        C::UeNoun,
        0.0,
        0,
        "number of ues; ue count; number of users; number of devices; device count; user count; \
         number of connected ues; number of connected devices; number of connected users; \
         number of active ues",
    ),
    (C::Pdu, 0.0, 0, "number of pdu sessions; pdu session count"),
    (C::DelayBudget, 0.0, 0, "delay budget; packet delay budget; latency budget; delay budget of"),
    (C::PriorityLevel, 0.0, 0, "priority level; prio level"),
    (
        C::FiveQi,
        0.0,
        0,
        "five qi; 5g qi; 5 qi; qos flow; 5g qos identifier; qos identifier; 5qi value; 5qi class; qos class; \
         5qi flows; 5qi flow; 5qi traffic",
    ),
    (
        C::Group,
        0.0,
        0,
        "ue group; device group; user group; subscriber group; group of ues; group of users; group id",
    ),
    (C::Version, 0.0, 0, "software version; version number; image version; sw version"),
    (C::Change, 0.0, 0, "what was done to"),
    (
        C::Pods,
        0.0,
        0,
        "replica count; pod count; instance count; number of replicas; number of pods; number of instances; \
         replicas count; the number of replicas; the number of pods; the number of instances; replica number; \
         number of copies; the number of copies; instances count; replica set size; amount of replicas; \
         amount of pods; replica counts; amount of instances; replicas setting",
    ),
    // Comparisons.
    (
        C::AtMost,
        0.0,
        0,
        "at most; at the most; at maximum; at max; at the maximum; no more than; not more than; \
         no greater than; no higher than; up to a maximum of; a maximum of; maximum of; max of; \
         to a maximum of; up to at most; or less; or lower; or below; or fewer; or under; with a ceiling of; \
         a ceiling of; ceiling of; upper limit; upper bound; upper limit of; an upper limit of; capped at; \
         topping out at; stopping at; a cap of; cap of; limit of; a limit of; as an upper limit; to at most; \
         equal to or less than; less than or equal to; lower than or equal to; lower or equal to; \
         at the very most; upper bound of; with a cap of; less or equal to; equal or below; equal to or below; \
         at or below; not to exceed; no further than; with a maximum of; with a limit of; but no more than; \
         but at most; but not more than; but no higher than; hard limit; hard cap; hard ceiling; max out at; \
         maxing out at; no bigger than; no larger than; not exceeding; at or under; below or equal to; \
         under or equal to; but no further than; as a ceiling; as a maximum; as maximum; as upper limit; \
         as the maximum; as upper bound; as max; topped at; limited to a maximum of; not higher than; \
         not greater than",
    ),
    (
        C::AtLeast,
        0.0,
        0,
        "at least; at the least; at minimum; at a minimum; at min; no less than; no fewer than; not less than; \
         not fewer than; no lower than; a minimum of; minimum of; min of; or more; or higher; or above; \
         or better; a floor of; floor of; lower limit; lower bound; lower limit of; a lower limit of; \
         greater than or equal to; more than or equal to; higher than or equal to; at the very least; \
         equal to or more than; equal to or greater than; with a floor of; with a minimum of; at or above; \
         equal to or above; greater or equal to; but at least; but no fewer than; but no less than; \
         but not less than; lower bound of; above or equal to; not lower than; not fewer; as a minimum; \
         as minimum; as a floor; as the minimum; as lower bound; as min; but no lower than; no smaller than; \
         or greater",
    ),
    (
        C::Below,
        0.0,
        0,
        "less than; lower than; fewer than; smaller than; strictly below; under the; beneath the; \
         shorter than; drops below; falls below; falls under; drops under; goes below; goes under; \
         sinks below; dips below; is less than; drop below; fall below; go below; sink below; dip below; \
         dips under; below the mark of; south of; dropping below; falling below; gets below; is lower than; \
         dip under; dropped below; fell below",
    ),
    (
        C::Above,
        0.0,
        0,
        "more than; greater than; higher than; larger than; bigger than; in excess of; strictly above; \
         goes above; goes over; rises above; rises over; climbs above; climbs over; goes beyond; gets above; \
         gets over; crosses; is greater than; is higher than; is more than; passes; tops the; jumps above; \
         is over; runs above; runs over; stays above; rises past; goes past; climbs past; climbs beyond; \
         rises beyond; moves above; surpasses; outgrows; north of; exceeding; is above; stays over; \
         crosses over; creeps above; creeps over; shoots above; shoots past; spikes above; spikes over; \
         runs past; gets past; longer than; stays beyond; stands above; is beyond; has been above; \
         has been over; remains above; breaches; crossed; passing; gets higher than; gets beyond; grows above; \
         grows beyond; grows past; grows over; rose above; went above; jumps over; running above; \
         running over",
    ),
    (
        C::AtLeast,
        1.0,
        0,
        "reaches; hits; gets to; rises to; climbs to; reaching; arrives at; goes to; touches",
    ),
    (C::AtMost, 1.0, 0, "falls to; drops to; goes down to; sinks to; shrinks to"),
    (C::Percent, 0.0, 0, "per cent"),
    (
        C::Per,
        1.0,
        0,
        "per device; per ue; per user; for each ue; for each device; for each user; for every ue; \
         for every device; for every user; per terminal; per handset; per subscriber; each ue; each device; \
         each user; per head; per phone; per camera; per sensor; per robot; per vehicle; per modem; \
         per connected device; per user equipment; per-ue; per-user; per-device; per meter; per client; \
         per customer; per car; per drone; per headset; apiece",
    ),
    (
        C::Per,
        2.0,
        0,
        "each way; in each direction; in both directions; both ways; both directions; in either direction; \
         per direction; up and down; downlink and uplink; uplink and downlink; dl and ul; ul and dl; \
         down and up; both up and down; both uplink and downlink; \
         both downlink and uplink",
    ),
    (
        C::Unit,
        unit::KBPS,
        0,
        "kilobits per second; kilobit per second; kbit per second; kbit / s; kbits per second; kb / s",
    ),
    (
        C::Unit,
        unit::MBPS,
        0,
        "megabits per second; megabit per second; mbit per second; mbits per second; mbit / s; \
         megs per second; meg per second; megabits a second; megabit a second; mbit a second; megs a second; \
         megabits / s; mb / s; meg a second; megabits/s",
    ),
    (
        C::Unit,
        unit::GBPS,
        0,
        "gigabits per second; gigabit per second; gbit per second; gbits per second; gbit / s; \
         gigs per second; gig per second; gigabits a second; gigabit a second; gbit a second; gig a second; \
         gigs a second; gb / s; gigabits/s",
    ),
    (
        C::Unit,
        unit::UNCLEAR,
        0,
        "gigabytes per second; gigabyte per second; megabytes per second; megabyte per second; \
         gigabytes a second; megabytes a second",
    ),
    // Numbers and factors.
    (C::Multiplier, 12.0, 0, "dozen of"),
    (
        C::Few,
        0.0,
        0,
        "a few; a couple; a couple of; a handful; a handful of; a bunch of; a number of; a lot of; a lot; \
         a bit; a little; a few more; a couple more; some more; a bit more; a little more; many more; \
         several more; a tad; as many as needed; as many as you can; as many as possible; a good number of; \
         more or less; loads of; lots of; or so; give or take; or thereabouts; a good few; a bit of; \
         something like; roughly; somewhere around; in the region of; as required; as needed; as necessary; \
         enough; sufficient; a sensible number of; an appropriate number of; some number of; in the order of; \
         give me more; a fair few; plus or minus; somewhere between; as you see fit",
    ),
    (
        C::Factor,
        2.0,
        0,
        "twice as many; twice the number of; twice the number; twice the size; twice the amount of; twice the; \
         twice as big; two times the; two times as many; double the; double the number of; twice the count of; \
         double the amount of; to twice the size; to double the size; two times; a factor of two; \
         by a factor of 2; by a factor of two; factor 2; factor two; by factor two; by factor 2; to double; \
         by 2x; to twice its size; to twice its current size; twice its size; double its size; twofold; \
         twice as large; to twice; twice what we have; twice what it has; to double its size; \
         two times its size; twice the size it has; twice as many as now",
    ),
    (
        C::Factor,
        3.0,
        0,
        "three times the; three times as many; by a factor of 3; by a factor of three; factor 3; factor three; \
         by factor three; by factor 3; to triple; three times the number of; triple the number of; \
         treble the number of; three times the size; to three times the size; triple the; treble the; \
         three times; to treble; three times its size; to three times its size; to triple the size",
    ),
    (
        C::Factor,
        4.0,
        0,
        "four times the; four times as many; by a factor of 4; by a factor of four; factor 4; factor four; \
         by factor four; four times the number of; four times the size; four times; by factor 4; \
         four times its size; to four times its size",
    ),
    (
        C::Factor,
        5.0,
        0,
        "five times the; five times as many; by a factor of 5; by a factor of five; factor 5; factor five; \
         five times the number of; five times the size; five times; five times its size",
    ),
    (
        C::Factor,
        6.0,
        0,
        "six times; six times as many; six times the; by a factor of six; by a factor of 6; factor 6; \
         factor six",
    ),
    (
        C::Factor,
        1.5,
        0,
        "by a factor of 1.5; half as many again; by a factor of one and a half; one and a half times; \
         one and a half times the; half as much again; 1.5 times the; 1.5 times as many; factor 1.5; \
         1.5 times",
    ),
    (C::Factor, 2.5, 0, "by a factor of 2.5; two and a half times; 2.5 times; factor 2.5"),
    (
        C::Factor,
        0.5,
        0,
        "half as many; half the number of; half the size; half the amount of; half the; half of the; \
         in half; down to half; cut in half; half of its; half its; \
         by a factor of 0.5; half of; half as big; half of what we have; \
         to one half; down to half the size; half the number; \
         half the amount; half its size; half what it has; half what we have",
    ),
    // Functions in full.
    (
        C::Function,
        of(F::Amf),
        0,
        "access and mobility management function; access and mobility function; \
         access & mobility management function; access mobility management function; \
         access and mobility management functions",
    ),
    (C::Function, of(F::Smf), 0, "session management function; session management functions"),
    (
        C::Function,
        of(F::Upf),
        0,
        "user plane function; user-plane function; user plane functions; user-plane functions",
    ),
    (
        C::Function,
        of(F::Nrf),
        0,
        "network repository function; nf repository function; network function repository function; \
         network repository functions",
    ),
    (C::Function, of(F::Ausf), 0, "authentication server function; authentication server functions"),
    (
        C::Function,
        of(F::Udm),
        0,
        "unified data management; unified data management function; unified data manager",
    ),
    (
        C::Function,
        of(F::Udr),
        0,
        "unified data repository; unified data repository function; unified data repositories; \
         user data repository",
    ),
    (
        C::Function,
        of(F::Pcf),
        0,
        "policy control function; policy control functions; policy and charging function",
    ),
    (
        C::Function,
        of(F::Nssf),
        0,
        "network slice selection function; slice selection function; network slice selection functions",
    ),
    (C::Function, of(F::Nef), 0, "network exposure function; network exposure functions"),
    (C::Function, of(F::Af), 0, "application function; application functions"),
    (
        C::Function,
        of(F::N3iwf),
        0,
        "non-3gpp interworking function; non 3gpp interworking function; n3 interworking function; \
         non-3gpp inter-working function; non 3gpp inter-working function; non-3gpp interworking functions",
    ),
    (C::Function, of(F::Chf), 0, "charging function; charging functions"),
    (C::Function, of(F::Bsf), 0, "binding support function; binding support functions"),
    (C::Function, of(F::Scp), 0, "service communication proxy; service communication proxies"),
    (C::Function, of(F::Sepp), 0, "security edge protection proxy; security edge protection proxies"),
    (C::Function, of(F::Nwdaf), 0, "network data analytics function; network data analytics functions"),
    (
        C::Function,
        of(F::ODu),
        0,
        "distributed unit; distributed units; o-ran distributed unit; open distributed unit",
    ),
    (
        C::Function,
        of(F::OCuCp),
        0,
        "cu control plane; o-cu control plane; central unit control plane; centralized unit control plane; \
         centralised unit control plane; control plane cu; cu control-plane; o-ran cu control plane; o cu cp; \
         cu cp; o-cu cp; central unit control-plane",
    ),
    (
        C::Function,
        of(F::OCuUp),
        0,
        "cu user plane; o-cu user plane; central unit user plane; centralized unit user plane; \
         centralised unit user plane; user plane cu; cu user-plane; o-ran cu user plane; o cu up; cu up; \
         o-cu up; central unit user-plane",
    ),
    (
        C::Function,
        of(F::OCu),
        0,
        "central unit; centralized unit; centralised unit; central units; centralized units; \
         o-ran central unit",
    ),
    (C::Function, of(F::ORu), 0, "radio unit; radio units; o-ran radio unit; open radio unit"),
    (
        C::Function,
        of(F::NearRtRic),
        0,
        "near real time ric; near-real-time ric; near real-time ric; nearrt ric; near-rt ric; near rt ric; \
         near real time rics; near-realtime ric; near realtime ric; near-real time ric; \
         near real time ran intelligent controller; near real-time ran intelligent controller; \
         near-real-time ran intelligent controller; near-rt ran intelligent controller; nearreal time ric",
    ),
    (
        C::Function,
        of(F::NonRtRic),
        0,
        "non real time ric; non-real-time ric; non real-time ric; nonrt ric; non-rt ric; non rt ric; \
         non-realtime ric; non realtime ric; non-real time ric; non real time ran intelligent controller; \
         non real-time ran intelligent controller; non-real-time ran intelligent controller; \
         non-rt ran intelligent controller",
    ),
    (C::Function, of(F::Xapp), 0, "xapp function"),
    (C::Function, of(F::Rapp), 0, "rapp function"),
    (
        C::Function,
        of(F::Smo),
        0,
        "service management and orchestration; service management and orchestration framework",
    ),
    (C::Function, of(F::E2Simulator), 0, "e2 simulator; e2 simulators; e2 sim; e2 sims; e2-simulators"),
];
