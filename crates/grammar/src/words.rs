//! The words of the vocabulary, by class. Nothing here decides anything.
//!
//! Never among the fillers: not, don't, never, no, only, except, unless, until,
//! if, when, after, before, about, all, every, each, both, again, back,
//! temporarily, instead, rather, or.

use nephoran_model::proposal::Function;

use crate::vocabulary::{C, hint};

/// Single words that are a function, and a name as said.
pub(crate) const FUNCTIONS: &[(Function, &str)] = &[
    (Function::Amf, "amf"),
    (Function::Smf, "smf"),
    (Function::Upf, "upf"),
    (Function::Nrf, "nrf"),
    (Function::Ausf, "ausf"),
    (Function::Udm, "udm"),
    (Function::Udr, "udr"),
    (Function::Pcf, "pcf"),
    (Function::Nssf, "nssf"),
    (Function::Nef, "nef"),
    (Function::Af, "af"),
    (Function::N3iwf, "n3iwf"),
    (Function::Chf, "chf"),
    (Function::Bsf, "bsf"),
    (Function::Scp, "scp"),
    (Function::Sepp, "sepp"),
    (Function::Nwdaf, "nwdaf"),
    (Function::ODu, "o-du odu du"),
    (Function::OCuCp, "o-cu-cp ocu-cp cu-cp cucp"),
    (Function::OCuUp, "o-cu-up ocu-up cu-up cuup"),
    (Function::OCu, "o-cu ocu"),
    (Function::ORu, "o-ru oru"),
    (Function::NearRtRic, "near-rt-ric nearrt-ric near-real-time-ric"),
    (Function::NonRtRic, "non-rt-ric nonrt-ric non-real-time-ric"),
    (Function::Xapp, "xapp"),
    (Function::Rapp, "rapp"),
    (Function::Smo, "smo"),
    (Function::E2Simulator, "e2-simulator e2simulator e2sim e2-sim"),
];

pub(crate) const NUMBERS: &[(f64, &str)] = &[
    (0.0, "zero nought nil"),
    (1.0, "one single"),
    (2.0, "two"),
    (3.0, "three"),
    (4.0, "four"),
    (5.0, "five"),
    (6.0, "six"),
    (7.0, "seven"),
    (8.0, "eight"),
    (9.0, "nine"),
    (10.0, "ten"),
    (11.0, "eleven"),
    (12.0, "twelve"),
    (13.0, "thirteen"),
    (14.0, "fourteen"),
    (15.0, "fifteen"),
    (16.0, "sixteen"),
    (17.0, "seventeen"),
    (18.0, "eighteen"),
    (19.0, "nineteen"),
    (20.0, "twenty"),
    (30.0, "thirty"),
    (40.0, "forty fourty"),
    (50.0, "fifty"),
    (60.0, "sixty"),
    (70.0, "seventy"),
    (80.0, "eighty"),
    (90.0, "ninety"),
];

/// Values of `C::Unit`; see `units.rs`.
pub(crate) mod unit {
    pub(crate) const KBPS: f64 = 0.0;
    pub(crate) const MBPS: f64 = 1.0;
    pub(crate) const GBPS: f64 = 2.0;
    pub(crate) const TBPS: f64 = 3.0;
    /// Bytes, or gig and meg without "per second": asked about.
    pub(crate) const UNCLEAR: f64 = 10.0;
    pub(crate) const MS: f64 = 20.0;
    pub(crate) const S: f64 = 21.0;
    pub(crate) const MIN: f64 = 22.0;
    pub(crate) const H: f64 = 23.0;
    pub(crate) const W: f64 = 30.0;
    pub(crate) const KW: f64 = 31.0;
    pub(crate) const WH: f64 = 32.0;
    pub(crate) const KWH: f64 = 33.0;
}

/// Values of `C::Metric`.
pub(crate) mod metric {
    pub(crate) const PRB: f64 = 0.0;
    pub(crate) const CPU: f64 = 1.0;
    pub(crate) const MEMORY: f64 = 2.0;
    pub(crate) const LATENCY: f64 = 3.0;
    pub(crate) const THROUGHPUT: f64 = 4.0;
    pub(crate) const PACKET_LOSS: f64 = 7.0;
    pub(crate) const AVAILABILITY: f64 = 8.0;
    pub(crate) const ENERGY: f64 = 9.0;
    /// "bandwidth", "data rate": a throughput to a slice, no metric to watch.
    pub(crate) const BANDWIDTH: f64 = 10.0;
    /// Load or usage of nothing in particular: nobody measures that.
    pub(crate) const OTHER: f64 = 11.0;
}

pub(crate) const WORDS: &[(C, f64, &str)] = &[
    // Names without a function (contract).
    (C::Name, 0.0, "cu ru ric"),
    (C::Multiplier, -1.0, "minus negative"),
    (
        C::Fill,
        0.0,
        "please pls plz kindly thanks thx cheers ty ta hello hi hey dear folks team guys mate just now simply okay \
         ok oh ah yo greetings regards colleagues everyone mates friends  also additionally \
         exactly precisely  mind",
    ),
    (C::The, 0.0, "the our my your "),
    (C::A, 1.0, "a an"),
    (C::Of, 0.0, "of"),
    (C::To, 0.0, "to towards toward onto"),
    (C::In, 0.0, "in"),
    (C::At, 0.0, "at"),
    (C::On, 0.0, "on upon"),
    (C::For, 0.0, "for"),
    (C::From, 0.0, "from"),
    (C::By, 0.0, "by"),
    (C::With, 0.0, "with having featuring using via"),
    (C::Into, 0.0, "into inside within"),
    (C::Over, 0.0, "over"),
    (C::Off, 0.0, "off"),
    (C::Out, 0.0, "out outwards outward"),
    (C::Up, 0.0, "up upwards upward"),
    (C::Down, 0.0, "down downwards downward"),
    (C::And, 0.0, "and plus additionally"),
    (C::Then, 0.0, "then next afterwards thereafter subsequently finally"),
    (C::Or, 0.0, "or either alternatively and/or"),
    (C::But, 0.0, "but however though although yet"),
    (C::Than, 0.0, "than"),
    (C::As, 0.0, "as"),
    (C::Per, 0.0, "per"),
    (C::Between, 0.0, "between"),
    (C::Pron, 0.0, "something stuff it its them they it's theirs"),
    (C::That, 0.0, "that this those these which such"),
    (C::Be, 0.0, "is are be being am gets"),
    (C::Told, 0.0, "was were been will would may might had did could've should've why they've"),
    (C::Become, 0.0, "become becomes becoming equal equals"),
    (C::Have, 0.0, "has have "),
    (C::Should, 0.0, "should ought would will may might supposed deserves needs-to"),
    (C::Must, 0.0, "must shall"),
    (C::Can, 0.0, "can could "),
    (C::You, 0.0, "you u we i us me  i'd we'd i'll we'll you'd they'd"),
    (
        C::Want,
        0.0,
        "want wants need needs require requires desire wanted needed required requested request wish wishes needing \
                    requesting wanting desired looking",
    ),
    (C::Let, 0.0, "let lets let's"),
    (C::Do, 0.0, "do does doing done"),
    (C::Question, 0.0, "what which who whose how where what's how's who's where's whats hows"),
    (C::There, 0.0, "there there's"),
    (C::When, 0.0, "when whenever once if"),
    (
        C::Cond,
        0.0,
        "unless provided providing until till before after during while whilst assuming depending \
                    whether otherwise else except excluding besides without  despite subject  lest pending",
    ),
    (
        C::Not,
        0.0,
        "not don't dont doesn't isn't aren't never no nothing none nobody neither nor cannot can't won't wont \
                   shouldn't mustn't wouldn't couldn't wasn't haven't hasn't didn't needn't nowhere hardly barely ",
    ),
    (C::Only, 0.0, "only solely exclusively merely"),
    (C::All, 0.0, "all every each any entire whole everything everywhere anything anywhere whatever various"),
    (C::Both, 0.0, "both"),
    (C::About, 0.0, "about around approximately roughly circa approx ca nearly almost some ish "),
    (
        C::Few,
        0.0,
        "few several couple handful bunch many loads lots lot plenty bit little dozens hundreds thousands enough",
    ),
    (C::Again, 0.0, "again anew"),
    (C::Back, 0.0, "back original previous former earlier"),
    (
        C::Vague,
        0.0,
        "better faster bigger larger smaller slower stronger healthier higher nicer cheaper quicker leaner good great big \
         small large high low slow fast bad poor weak overloaded congested struggling short underpowered improve improves improved improving optimise optimize optimised \
         optimized optimising optimizing fix fixes fixed fixing help helps  smoother worse undersized oversized insufficient \
         appropriate appropriately suitable suitably sensible sensibly reasonable optimal optimally properly tight busy hot full \
         starved p99 p90 p50 p75 p999 terrible awful heavy lighter tiny huge complain complains complaining enhance enhanced enhancing performance \
         unhappy happy maxed strained straining drowning sluggish",
    ),
    (C::Scale, 0.0, "scale scales scaled scaling rescale rescaled rescaling re-scale "),
    (
        C::Light,
        0.0,
        "move moves moved moving drive drives driven driving take takes taken taking took get gets getting got bring brings \
         brought bringing pull pulls pulled pulling wind winds winding wound knock knocks knocked knocking push pushes pushed \
         pushing go goes went going gone come comes coming dial dials dialled dialed dialing dialling  crank cranks cranked \
         cranking size sizes sized sizing resize resizes resized resizing sizing dimension dimensions dimensioned \
         dimensioning re-size re-dimension  ramp ramps ramped ramping step steps stepped stepping  pin pins pinned ease eases eased slide slides slid peg pegs pegged park parks parked drag drags dragged hoist heave tow squeeze squeezes pump pumps nudge nudges nudged nudging \
         tweak tweaks tweaked tweaking adapt adapts adapted adapting shift shifts shifted shifting  settle settles settled \
         land lands landed arrive reach reaches reached reaching end ends ended tick ticks rightsize right-size rightsizing \
         shove shoved haul hauled tug provision-at  lead allot allotted pop pops popped popping  operating \
         leave leaves left leaving bulk ",
    ),
    (
        C::Set,
        0.0,
        "set sets setting adjust adjusts adjusted adjusting change changed changing modify modifies modified modifying \
                   configure configures configured configuring switch switches switched switching turn turns turned turning \
                   make makes made making update updates updated updating alter alters altered altering reconfigure \
                   reconfigured reconfiguring tune tunes tuned tuning assign assigns assigned assigning define defined",
    ),
    (C::Put, 0.0, "put puts putting placed"),
    (C::Run, 0.0, "run runs running ran operate operates operated "),
    (
        C::Keep,
        0.0,
        "keep keeps kept keeping hold holds held holding maintain maintains maintained maintaining ensure ensures ensured ensuring \
         stay stays stayed staying remain remains remained remaining sit sits sitting sat retain retains retaining  \
          preserve preserves preserved preserving sustain sustains sustained sustaining ",
    ),
    (
        C::Give,
        0.0,
        "give gives given giving gave grant grants granted granting allow allows allowed allowing hand hands handed handing \
                    provide provides   offer offers offered offering deserve  supply supplies supplied \
                    supplying allocate allocates allocated allocating  lend  equip equips equipped furnish furnished",
    ),
    (
        C::Use,
        0.0,
        "touch touches enter enters visit visits camp camps use uses used serve serves served serving",
    ),
    (
        C::Carry,
        0.0,
        "carry carries carried carrying handle handles handled handling support supports supported supporting accommodate \
                     accommodates accommodating   cater caters catering take-in  rated  fit fits fitted fitting \
                        admit  ",
    ),
    (
        C::Grow,
        0.0,
        "grow grows grew grown growing upscale upscales upscaled upscaling scale-out scale-up upsize upsized  scaling-out scaling-up \
         beef beefs beefed beefing up-scale",
    ),
    (
        C::Shrink,
        0.0,
        "shrink shrinks shrank shrunk shrinking cut cuts cutting trim trims trimmed trimming drop drops dropped dropping shed sheds \
         shedding downscale downscales downscaled downscaling downsize downsizes downsized downsizing scale-in scale-down slim slims slimmed \
         slimming thin thins thinned thinning scaling-in scaling-down strip strips stripped stripping down-scale ",
    ),
    (
        C::Add,
        0.0,
        "add adds added adding append appends appended gain gains gained gaining tack stick sticks whack bung lob bolt chuck throw throws throwing slap toss bolt",
    ),
    (
        C::Remove,
        0.0,
        "lose loses losing remove removes removed removing delete deletes deleted deleting subtract subtracts subtracted deduct",
    ),
    (
        C::Retire,
        0.0,
        "retire retires retired retiring withdraw withdraws withdrew withdrawn withdrawing uninstall uninstalls uninstalled uninstalling \
 undeploy undeploys undeployed undeploying scrap scraps scrapped scrapping teardown tear-down deinstall deinstalled de-commission \
 decomm decom decommision deprovision deprovisioned deprovisioning de-provision axe axed dispose sunset sunsetted ditch \
 ditched ditching destroy destroys destroyed destroying bin binned \
 eliminate eliminated dismantle dismantled dismantling terminate terminates \
 terminated terminating discard discarded decommissioning",
    ),
    (
        C::Deploy,
        0.0,
        "deploy deploys deployed deploying  install installs installed installing instantiate instantiates instantiated \
         instantiating introduce introduces introduced introducing  onboard \
         onboards onboarded onboarding commission commissions commissioned",
    ),
    (
        C::Create,
        0.0,
        "create creates created creating build builds built building open opens opened opening establish establishes \
                      established establishing order  ordered carve carves carved stand-up set-up setup   arrange arranged \
                      design designed craft crafted    slice-up  ",
    ),
    (
        C::Launch,
        0.0,
        "provision provisions provisioned provisioning start starts started starting launch launches launched launching boot boots booted booting spawn spawns spawned \
                      spawning fire fires fired firing ignite spin spins spun spinning bring-up start-up spin-up kick-off kick kicks",
    ),
    (C::Upgrade, 0.0, "upgrade upgrades upgraded upgrading up-grade"),
    (C::Enable, 0.0, "enable enables enabled enabling activate activates activated activating"),
    (
        C::Disable,
        0.0,
        "disable disables disabled disabling deactivate deactivates deactivated deactivating de-activate",
    ),
    (
        C::Guarantee,
        0.0,
        "guarantee guarantees guaranteed guaranteeing assured assure assures assuring committed reserved reserve reserves reserving",
    ),
    (
        C::Limit,
        0.0,
        "limit limits limited limiting throttle throttles throttled throttling cap caps capped capping restrict restricts restricted \
                     restricting bound bounded clamp clamps clamped clamping   restrain constrain constrained",
    ),
    (
        C::Prefer,
        0.0,
        "prefer prefers preferred preferring preferably favour favours favoured favouring favor favors favored favoring preference prefered preferable",
    ),
    (
        C::Avoid,
        0.0,
        "avoid avoids avoided avoiding offload offloads offloaded offloading off-load off-loads off-loaded off-loading shun shuns shunned",
    ),
    (
        C::Forbid,
        0.0,
        "forbid forbids forbidden forbidding forbade ban bans banned banning bar bars barred barring prohibit prohibits prohibited \
                      prohibiting off-limits disallow disallows disallowed",
    ),
    (C::Steer, 0.0, "steer steers steered steering send traffic-steer"),
    (
        C::Undo,
        0.0,
        "roll rolls rolled rolling undo undoes undid undone undoing revert reverts reverted reverting reverse reverses reversed reversing rollback \
                    rollbacks rolled-back roll-back unwind unwound backout back-out",
    ),
    (
        C::Show,
        0.0,
        "show shows showing list lists listing tell tells display displays displaying report reports reporting describe describes \
                    describing print prints summarise summarize query inspect   view see ",
    ),
    (C::Status, 0.0, "status state states health situation overview summary"),
    (C::Alive, 0.0, "alive healthy up-and-running ready available active online fine alright "),
    (
        C::Elastic,
        0.0,
        "elastic autoscale autoscales autoscaled autoscaling auto-scale auto-scales auto-scaled auto-scaling autoscaler auto-scaler \
                       autoscalers elastically self-scaling hpa",
    ),
    (C::Check, 0.0, "feasible possible doable feasibility viable what-if"),
    (
        C::Pods,
        0.0,
        "pod pods replica replicas instance instances copy copies replicae replica-count pod-count ",
    ),
    (
        C::Noun,
        0.0,
        "workload deployment workloads deployments function functions nf nfs cnf cnfs vnf vnfs statefulset application app count counts number amount size footprint \
                    scale-of  ",
    ),
    (C::Ns, 0.0, "namespace ns namespaces n/s"),
    (C::Cluster, 0.0, "cluster site clusters sites"),
    (C::Cell, 0.0, "cell cells"),
    (C::Tac, 0.0, "tac tacs"),
    (C::SliceWord, 0.0, "slice slices network-slice nssi s-nssai snssai"),
    (C::ServiceWord, 0.0, "embb e-mbb"),
    (C::ServiceWord, 1.0, "urllc"),
    (C::ServiceWord, 2.0, "miot mmtc"),
    (C::ServiceWord, 3.0, "v2x"),
    (C::Sst, 0.0, "sst"),
    (C::Sd, 0.0, "sd"),
    (C::Plmn, 0.0, "plmn"),
    (
        C::UeNoun,
        0.0,
        "ue ues device devices user users meter meters sensor sensors terminal terminals handset handsets phone phones \
                      tracker trackers camera cameras robot robots vehicle vehicles   modem modems tablet tablets drone drones wearable wearables",
    ),
    (C::Sessions, 0.0, "session sessions"),
    (C::Subscribers, 0.0, "subscriber subscribers subs subscription subscriptions"),
    (C::Metric, metric::PRB, "prb prbs"),
    (C::Metric, metric::CPU, "cpu processor"),
    (C::Metric, metric::MEMORY, "memory ram mem"),
    (C::Metric, metric::LATENCY, "latency delay latencies "),
    (C::Metric, metric::THROUGHPUT, "throughput"),
    (C::Metric, metric::BANDWIDTH, "bandwidth bitrate bit-rate datarate"),
    (C::Metric, metric::AVAILABILITY, "availability uptime"),
    (C::Metric, metric::ENERGY, "energy power"),
    (
        C::Metric,
        metric::OTHER,
        "load temperature jitter queue disk iops happiness bler sinr rsrp rsrq cqi interference handover handovers hotness errors",
    ),
    (C::Link, 0.0, "downlink dl downstream down-link"),
    (C::Link, 1.0, "uplink ul upstream up-link"),
    (C::Max, 0.0, "max maximum maximal ceiling tops peak-of ceiling-of max. maximally"),
    (C::Min, 0.0, "min minimum minimal floor min. minimally"),
    (C::Below, 0.0, "below under beneath underneath lower-than less-than"),
    (C::Above, 0.0, "above beyond exceeds exceed exceeding exceeded surpasses surpass surpassing overshoots"),
    (C::AtLeast, 0.0, "at-least"),
    (C::AtMost, 0.0, "at-most"),
    (C::Percent, 0.0, "percent percentage pct"),
    (C::Unit, unit::KBPS, "kbps kbit/s kb/s kbits/s"),
    (C::Unit, unit::MBPS, "mbps mbit/s mb/s mbits/s"),
    (C::Unit, unit::GBPS, "gbps gbit/s gb/s gbits/s"),
    (C::Unit, unit::TBPS, "tbps tbit/s tb/s bps"),
    (
        C::Unit,
        unit::UNCLEAR,
        "gig gigs meg megs mbit gbit kbit mbits gbits kbits gigabit gigabits megabit megabits kilobit kilobits gigabyte gigabytes megabyte \
                              megabytes mbytes/s gbytes/s kbytes/s mb gb kb gib mib mbyte/s gbyte/s gig/s mbytes gbytes",
    ),
    (C::Unit, unit::MS, "ms msec msecs millisecond milliseconds millis"),
    (C::Unit, unit::S, "s sec secs second seconds"),
    (C::Unit, unit::MIN, "minute minutes mins"),
    (C::Unit, unit::H, "h hr hrs hour hours"),
    (C::Unit, unit::W, "w watt watts"),
    (C::Unit, unit::KW, "kw kilowatt kilowatts"),
    (C::Unit, unit::WH, "wh"),
    (C::Unit, unit::KWH, "kwh"),
    (C::Version, 0.0, "version release ver software-version"),
    (C::Provider, 0.0, "provider vendor supplier"),
    (C::Blueprint, 0.0, "blueprint template blueprints"),
    (C::FiveQi, 0.0, "5qi 5qis five-qi"),
    (C::Group, 0.0, "group"),
    (C::PriorityLevel, 0.0, "priority prio"),
    (C::Called, 0.0, "called named name names labelled dubbed known"),
    (C::Change, 0.0, "modification action operation edit adjustment changeset"),
    (C::Intent, 0.0, "intent"),
    (C::Capacity, 0.0, "capacity allowance quota dimensioning capacities"),
    (C::Latest, 0.0, "last latest recent most-recent newest"),
    (C::Reliability, 0.0, "reliability reliable"),
    (C::DelayBudget, 0.0, "pdb budget"),
    (C::Traffic, 0.0, "traffic"),
    (C::Statistic, 0.0, "mean average avg"),
    (C::Statistic, 1.0, "peak"),
    (C::Statistic, 2.0, "p95"),
    (C::Multiplier, 100.0, "hundred"),
    (C::Multiplier, 1_000.0, "thousand k grand"),
    (C::Multiplier, 1_000_000.0, "million millions m mn mio"),
    (C::Multiplier, 1_000_000_000.0, "billion"),
    (C::Multiplier, 12.0, "dozen"),
    (C::Factor, 2.0, "double doubles doubled doubling twofold two-fold 2x x2"),
    (
        C::Factor,
        3.0,
        "treble trebles trebled trebling triple triples tripled tripling threefold three-fold 3x x3",
    ),
    (C::Factor, 4.0, "quadruple quadruples quadrupled quadrupling fourfold four-fold x4"),
    (C::Factor, 5.0, "quintuple quintupled quintupling fivefold five-fold x5"),
    (C::Factor, 6.0, "x6 sixfold six-fold sextuple"),
    (C::Factor, 8.0, "x8 eightfold"),
    (C::Factor, 10.0, "x10 tenfold ten-fold"),
    (C::Factor, 0.5, "halve halved halving"),
    (C::Half, 0.5, "half"),
    (C::Times, 0.0, "times x fold multiplied multiply multiplies multiplying"),
    (C::More, 0.0, "more additional extra further another increment"),
    (C::Fewer, 0.0, "fewer less decrement"),
    (C::New, 0.0, "new fresh brand-new newly blank"),
    (C::Status, 1.0, "usage utilisation utilization consumption"),
    (
        C::Unsupported,
        0.0,
        "restart restarts restarted restarting reboot reboots rebooted rebooting bounce bounced bouncing recycle recycled reset resets resetting \
         stop stops stopped stopping pause pauses paused pausing suspend suspends suspended suspending resume resumes resumed resuming halt \
         halts halted halting shutdown shutting lock locks locked locking unlock unlocks unlocked unlocking drain drains drained draining \
         cordon cordoned uncordon heal heals healed healing self-heal repair repairs repaired migrate migrates migrated migrating migration \
         relocate relocates relocated relocating hibernate hibernated sleep backup backups snapshot snapshots clone clones cloned rename renamed renaming \
         failover fail-over evict evicts evicted quarantine isolate isolates isolated rehome rehomed reschedule rescheduled re-create recreate \
         recreated redeploy redeployed re-deploy reinstall reinstalled swap swapped swapping rebalance rebalanced replace replaces replaced \
         downgrade downgrades downgraded downgrading upload backfill power-cycle powercycle hot-swap failback freeze freezes frozen thaw \
            ping-test reattach detach detached mirror mirrored shadow canary blue-green retry reload reloads \
         reloaded reloading rotate rotated certificate  deregister deregistered register registered logs \
         resync handoff interconnect firewall  ip-address subnet vlan troubleshoot diagnose diagnosed investigate debug benchmark benchmarked",
    ),
    (
        C::Time,
        0.0,
        "tonight tomorrow today yesterday monday tuesday wednesday thursday friday saturday sunday mondays fridays weekend weekends weekday \
         weekdays week weeks day days daily weekly monthly hourly nightly night nights overnight morning mornings evening evenings noon midday \
         midnight afternoon month months year years january february march april june july august september october november december \
         christmas easter later soon temporarily briefly momentarily permanently forever o'clock am pm cet  gmt dawn dusk \
         lunchtime lunch holiday holidays summer winter autumn spring fortnight schedule scheduled peak-hours off-peak rush-hour  \
         deadline timeframe window shift-end nighttime eod cob shortly eventually meanwhile maintenance periodically \
         season quarter-hour sundown sunrise   gradually incrementally",
    ),
    (
        C::Hardware,
        0.0,
        "node nodes host hosts hostname server servers machine machines rack racks vm vms hypervisor gpu gpus numa hardware spot cores \
         vcpu vcpus cpus socket blade metal bare-metal baremetal zone zones region regions availability-zone arm x86 fpga smartnic nic nics \
         sriov dpdk affinity anti-affinity nodepool node-pool taint toleration hugepages datacentre datacenter millicores interruption \
         interruptions downtime outage outages disruption disruptions disrupting interrupting seamlessly hitless  canaries rolling \
         preemptible on-prem cloud aws azure gcp image images storage volume volumes nodeselector",
    ),
    (
        C::Notify,
        0.0,
        "notify notifies notified notifying email emails e-mail mail mails message messages messaging alert alerts alerted inform informs informed \
         ping pings pinged slack  sms ticket tickets incident incidents noc jira pager call calls phone-up announce announces \
         announced escalate escalated servicenow webhook confirmation confirm confirms acknowledge ack  document record records note \
         notification notifications post posts tweet chat",
    ),
    (C::Inventory, 0.0, "inventory"),
    (C::Switch, 1.0, ""),
];

pub(crate) const VERBS: &[(C, &str)] = &[
    (
        C::Grow,
        "raise increase expand extend boost bump enlarge lift hike elevate augment increment widen amplify heighten up-size ",
    ),
    (
        C::Shrink,
        "lower reduce decrease contract diminish lessen decrement slash shave prune pare curtail minimise minimize scale-back cutback narrow",
    ),
    (C::Retire, "decommission dismantle eradicate"),
    (C::Upgrade, "upgrade"),
];

pub(crate) const HINTS: &[(u16, &str)] = &[
    (
        hint::OVERRIDE,
        "ignore ignores ignoring forget forgetting disregard disregarding override overriding overrule overruling neglect \
                      bypass bypassing violate",
    ),
    (
        hint::RULES,
        "above previous prior earlier told everything preceding policy rules rule instructions instruction prompt prompts guidelines guideline guardrails guardrail policies directives training \
                   constraints restrictions safeguards safeguard limits context programming safety",
    ),
    (
        hint::APPROVAL,
        "approval approvals approve approved approves approving approver approvers review reviews reviewed reviewer reviewing guard guards \
                      authorisation authorization authorise authorize authorised authorized permission permissions sign-off signoff \
                      sanction consent checks validation validations safety guardrails guardrail safeguards safeguard confirmation sign signing four-eyes \
                      rbac admission",
    ),
    (
        hint::BYPASS,
        "unrestricted unfiltered superuser bypass bypasses bypassing bypassed circumvent circumvents circumventing sidestep sidesteps evade jailbreak jailbroken \
                    overrule overruling override overriding self-approve auto-approve autoapprove rubber-stamp overrides --force \
                    rubberstamp unreviewed unapproved unchecked sudo",
    ),
    (
        hint::SECRET,
        "password passwords passwd secret secrets credential credentials token tokens apikey api-key kubeconfig private-key passphrase \
                    passphrases creds login logins pem keytab ssh-key keys keystore",
    ),
    (
        hint::TOOL,
        "helm docker script scripts python perl sql command commands terraform ansible playbook cmd snippet cronjob",
    ),
    (
        hint::SHELL,
        "ls whoami uname ifconfig etc/passwd etc/shadow kubectl rm bash shell sudo ssh curl wget  exec powershell  chmod chown mkfs dd sh zsh eval systemctl   \
                    drop-table xp_cmdshell netcat nc reverse-shell iptables  psql crictl subprocess    \
                   printenv  base64 nmap tcpdump  powershell.exe cmd.exe rm-rf  ",
    ),
    (
        hint::EVERYTHING,
        "everything everywhere whatever anything all every entire whole anywhere any namespaces clusters",
    ),
    (
        hint::DESTROY,
        "shut delete deletes deleting remove removes removing destroy destroys destroying wipe wipes wiping kill kills killing nuke nukes \
                     purge erase retire retiring decommission terminate tear uninstall scrap drop dismantle withdraw undeploy obliterate \
                     eliminate trash stop shutdown teardown flatten raze annihilate rid crash",
    ),
    (
        hint::NETWORK,
        "network networks ran core edge 5g 4g lte cell cells slice slices traffic customers customer subscribers users latency \
                     throughput capacity service services pods pod replicas replica namespace cluster site ns workload workloads coverage \
                     intent intents signal uplink downlink bandwidth gnb handover plane operator nodes node deployment instance instances \
                     oran o-ran 3gpp ric policy function functions antenna radio tower towers base roaming sessions session memory cpu prb \
                     connection connectivity outage kubernetes k8s incident congestion sst plmn imsi ue ues site sites inventory alarm \
                     performance system scale deploy upgrade rollback undo qos 5qi replicas simulator simulators blueprint energy ru cu du gnodeb enb \
                     everything things revert interference",
    ),
    (
        hint::FOREIGN_TOPIC,
        "buy sell play solve sing dance jazz milk pizza burger flowers groceries tokyo mum dad sister brother homework everest joke jokes poem poems weather recipe recipes pizza football song songs movie movies film flight flights book books story stories \
                           essay translate president capital-of birthday bitcoin stock stocks shares cake dinner lunch restaurant holiday hotel hotels \
                           train trains taxi haiku limerick lyrics novel novels tennis soccer cup championship olympics olympic election prime \
                           minister king queen war history dinosaur dinosaurs planet moon sun star stars galaxy homework math maths algebra equation \
                           python javascript java cooking bake baking coffee tea beer wine cat cats dog dogs horse garden plant plants diet exercise yoga \
                           horoscope zodiac lottery tickets concert music guitar piano paint painting vacation trip travel euro euros dollar dollars \
                           mountain river ocean sea capital country population continent language french spanish german latin meaning philosophy religion \
                           letter email cover cv resume invoice meeting appointment calendar reminder remind alarm-clock riddle chess game games \
                           trivia quiz actor actress singer painter author wrote invented discovered poet homework temperature rain snow \
                           sandwich sandwiches soup pasta bread sum square root crossword novelist score scored wallpaper birthday gift shoes shirt dress hairdresser \
                           mortgage tax taxes salary anniversary wedding",
    ),
    (
        hint::NEGATION,
        "no not without nobody skip skipping skips don't dont never none avoid nothing needn't doesn't unneeded unnecessary already waive \
                      waived omit omitting isn't disable disabling disabled ignore ignoring forget pre past around even switch turn off",
    ),
    (hint::RUN, "run execute launch invoke exec paste type running executing call"),
    (
        hint::ASKING,
        "what which who whose how where when what's who's tell explain write compose describe calculate sing draw recommend \
                    translate give suggest summarise summarize",
    ),
    (hint::PERSONA, "assistant chatbot pretend roleplay role-play dan act acting imagine persona"),
];
