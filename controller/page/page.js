/* SPDX-License-Identifier: Apache-2.0 */

/* The page: asks for status.json again and again, and shows what it says.
 *
 * Rates are worked out from successive answers.  What comes from the network
 * (names of peers, of searched variables) gets into the page as text only. */

const EVERY_MS = 2000;    /* Between two questions. */
const PATIENCE_MS = 5000; /* For an answer. */
const STALE_MS = 7000;    /* An answer older than that is not shown as news. */
const KEPT = 151;         /* Answers: those of five minutes. */
const FAR_US = 20000;
const LOST_SOME = 0.001;
const LOST_MUCH = 0.05;
const LOST_OVER = 30;     /* Loss is that of so many answers. */

const answers = []; /* { at, status }, the oldest first. */
let failure = "";

const $ = (id) => document.getElementById(id);

/* Numbers. */

const number = (n) => n.toLocaleString("en", { maximumFractionDigits: 0 });

const rateText = (r) =>
    r === null ? "–" : r.toLocaleString("en", { maximumFractionDigits: r < 10 ? 1 : 0 }) + "/s";

function rttText(us) {
    if (us === null || us === undefined) {
        return "–";
    }
    const ms = us / 1000;
    return ms.toLocaleString("en", { maximumSignificantDigits: ms < 10 ? 2 : 3 }) + " ms";
}

const percent = (share) =>
    share.toLocaleString("en", { style: "percent", maximumFractionDigits: share > 0 && share < 0.01 ? 2 : 1 });

const plural = (n, one, more) => `${number(n)} ${n === 1 ? one : more || one + "s"}`;

function since(text) {
    if (!text) {
        return "–";
    }
    const then = new Date(text);
    const today = then.toDateString() === new Date().toDateString();

    return then.toLocaleString("en-GB", today
        ? { timeStyle: "medium" } : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

/* Rates: what 'get' finds in the answers has grown by so much a second over the
 * last 'steps' of them, null if that is not known. */
function rate(get, steps = 3, last = answers.length - 1) {
    const first = Math.max(0, last - steps);

    if (last <= first) {
        return null;
    }
    const [a, b] = [answers[first], answers[last]];
    return Math.max(0, (get(b.status) ?? 0) - (get(a.status) ?? 0)) / ((b.at - a.at) / 1000);
}

/* How much it has grown over the last 'steps' answers. */
function growth(get, steps) {
    const a = answers[Math.max(0, answers.length - 1 - steps)].status;

    return Math.max(0, (get(answers[answers.length - 1].status) ?? 0) - (get(a) ?? 0));
}

/* Tables: makes the rows of 'body' say 'rows', of cells that are texts or
 * objects, touching only what changes, so that a reader is not disturbed. */

function setText(element, text) {
    if (element.textContent !== text) {
        element.textContent = text;
    }
}

function fillCell(cell, value) {
    const v = typeof value === "object" && value ? value : { text: value };
    const key = JSON.stringify(v);

    if (cell.key === key) {
        return;
    }
    cell.key = key;
    cell.className = v.kind || "";
    const main = document.createElement("span");

    main.className = v.tone || "";
    main.textContent = v.text;
    cell.replaceChildren(main);
    if (v.small) {
        const small = document.createElement("small");
        small.textContent = v.small;
        cell.append(small);
    }
}

function fill(body, rows, empty) {
    const columns = body.parentElement.tHead.rows[0].cells.length;

    if (!rows.length) {
        const cell = document.createElement("td");
        cell.colSpan = columns;
        cell.className = "empty";
        cell.textContent = empty;
        const row = document.createElement("tr");
        row.append(cell);
        body.replaceChildren(row);
        return;
    }
    if (body.rows[0]?.cells[0]?.className === "empty") {
        body.replaceChildren();
    }
    while (body.rows.length > rows.length) {
        body.deleteRow(-1);
    }
    rows.forEach((cells, i) => {
        const row = body.rows[i] || body.insertRow();

        cells.forEach((value, j) => fillCell(row.cells[j] || row.insertCell(), value));
    });
}

const right = (text, tone) => ({ text, tone, kind: "number" });
const plain = (text, small, tone) => ({ text, small, tone, kind: "plain" });
const wide = (text, small, tone) => ({ text, small, tone, kind: "name" });

/* Peers. */

const peerKey = (peer) => (peer.address || "") + " " + peer.name;

/* Returns how 'key' of 'peer' is found in an answer. */
const ofPeer = (peer, key) => (status) => status.byPeer.get(peerKey(peer))?.[key];

/* Returns the share of what was sent that was lost: both over the last
 * minute. */
function lossOf(peer, lost, passed) {
    const n = growth(ofPeer(peer, lost), LOST_OVER);

    return n ? n / (n + growth(ofPeer(peer, passed), LOST_OVER)) : 0;
}

function qualityOf(peer) {
    if (["down", "suspect", "unreachable", "unresolved"].includes(peer.state)) {
        return "down";
    }
    if (!["up", "segment", "alternate"].includes(peer.state)) {
        return "unknown";
    }
    /* What the peer tells of it counts frames of both of its ends' windows. */
    const sent = growth(ofPeer(peer, "tx"), LOST_OVER);
    const lostThere = sent ? Math.min(1, growth(ofPeer(peer, "tx_lost"), LOST_OVER) / sent) : 0;
    const loss = Math.max(lossOf(peer, "lost", "rx"), lostThere);

    return loss >= LOST_MUCH ? "much" : loss >= LOST_SOME ? "some" : peer.rtt_us >= FAR_US ? "far" : "good";
}

function peerNote(peer, quality) {
    if (quality === "down" || quality === "unknown") {
        return peer.reason;
    }
    const sent = growth(ofPeer(peer, "tx"), LOST_OVER);
    const loss = Math.max(lossOf(peer, "lost", "rx"),
        sent ? Math.min(1, growth(ofPeer(peer, "tx_lost"), LOST_OVER) / sent) : 0);

    return `${rttText(peer.rtt_us)}, ${loss ? percent(loss) + " lost" : "no loss"}`;
}

/* Returns by what the picture calls a peer: its name up to the first dot, if
 * that is enough to know it by. */
function shortName(peer, status) {
    const short = peer.name.split(".")[0];

    return /^[0-9[]/.test(peer.name) || status.peers.some((p) => p !== peer && p.name.split(".")[0] === short)
        ? peer.name.replace(/:7124$/, "") : short;
}

/* The peer as the picture has it. */
function relayOf(peer, status) {
    const quality = qualityOf(peer);
    const note = peerNote(peer, quality);

    return {
        name: shortName(peer, status),
        quality,
        forwards: peer.role === "forwarding" && quality !== "down",
        note,
        brief: quality === "down" || quality === "unknown" ? peer.state : note.replace(", no loss", ""),
        title: `${peer.name} (${peer.address || "no address"}): ${peer.state}, ${peer.role || "role not known"}; ${note}`,
    };
}

/* Returns this relay's segment, and those of the peers, of whom those with the
 * same forwarder share one. */
function segmentsOf(status) {
    const self = status.segment;
    const forwards = self.state === "forwarding" || self.forwarder?.self === true;
    const own = {
        own: true,
        label: "this segment",
        relays: [{
            self: true, name: status.host || "this relay", quality: status.connected ? "good" : "down", forwards,
            note: status.connected ? "this relay, " + (forwards ? "forwards" : self.state) : "this relay: no switch",
            title: "this relay",
        }],
    };
    const seen = new Set([status.relay_id]);
    const others = new Map();

    for (const peer of status.peers) {
        if (["own", "duplicate", "alternate", "self"].includes(peer.state)) {
            continue;
        }
        if (peer.state === "segment") {
            seen.add(peer.relay_id);
            own.relays.push({ ...relayOf(peer, status), note: `${peer.role || "on this segment"}, ${rttText(peer.rtt_us)}` });
            continue;
        }
        const key = peer.forwarder || peer.relay_id || peerKey(peer);

        others.set(key, [...(others.get(key) || []), relayOf(peer, status)]);
    }
    for (const relay of self.relays || []) {
        if (!seen.has(relay.relay_id)) {
            own.relays.push({
                name: relay.address, quality: "unknown", forwards: relay.state === "forwarding",
                note: relay.state + ", is no peer", title: relay.address + ": " + relay.reason,
            });
        }
    }
    return [own, [...others.values()].map((relays) => ({
        label: relays.length > 1 ? `a segment, ${relays.length} relays` : "a segment",
        relays: relays.sort((a, b) => b.forwards - a.forwards),
    }))];
}

let drawn = "";

function showMesh(status) {
    const [own, others] = segmentsOf(status);
    const relays = others.flatMap((segment) => segment.relays);
    const count = (quality) => relays.filter((relay) => relay.quality === quality).length;
    const parts = [plural(relays.length, "peer") + " on " + plural(others.length, "other segment")];

    for (const quality of ["some", "much", "down"]) {
        if (count(quality)) {
            parts.push(`${number(count(quality))} ${{ some: "with some loss", much: "with much loss", down: "not answering" }[quality]}`);
        }
    }
    const summary = parts.join(", ");
    const signature = JSON.stringify([own, others]);

    setText($("mesh-sum"), summary + (status.keys ? "; sealed" : "; not sealed"));
    if (signature !== drawn) {
        drawn = signature;
        draw($("picture"), own, others, `${(ROLES[status.segment.state] || ["This relay"])[0]}. ${summary}.`);
    }
}

function showPeers(status) {
    const lost = (peer, key) => {
        const n = peer[key];
        return n === null || n === undefined ? right("–") : right(number(n), growth(ofPeer(peer, key), LOST_OVER) ? "much" : "");
    };

    setText($("peers-sum"), status.peers.length ? plural(status.peers.length, "peer") + " configured or found" : "");
    const rank = { down: 0, much: 1, some: 2 };
    const rows = status.peers.map((peer) => ({ peer, quality: qualityOf(peer) }))
        .sort((a, b) => (rank[a.quality] ?? 3) - (rank[b.quality] ?? 3));

    fill($("peers-rows"), rows.map(({ peer, quality }) => {
        const at = peer.address && !peer.address.startsWith(peer.name) ? peer.address : "";

        return [
            wide(peer.name, at),
            wide(peer.state, peer.reason, quality === "down" ? quality : peer.state === "up" ? "good" : ""),
            plain(peer.role || "–"),
            plain(peer.format, peer.transport),
            right(rttText(peer.rtt_us), quality === "far" ? "far" : ""),
            right(rateText(rate(ofPeer(peer, "tx")))),
            right(rateText(rate(ofPeer(peer, "rx")))),
            lost(peer, "tx_lost"), lost(peer, "lost"),
            plain(since(peer.up_since)),
        ];
    }), "No peers.");
}

/* Rates. */

const total = (drops) => Object.values(drops).reduce((sum, n) => sum + n, 0);

const COUNTERS = [
    ["Punted", "broadcasts of this segment", (s) => s.counters.punted],
    ["Sent", "copies to peers", (s) => s.counters.mesh_tx],
    ["Received", "from the mesh", (s) => s.counters.mesh_rx],
    ["Emitted", "into this segment", (s) => s.counters.emitted],
    ["Dropped", "for the reasons below", (s) => total(s.counters.dropped), "drops"],
];

function makeRates() {
    for (const [title, note, , kind] of COUNTERS) {
        const card = document.createElement("div");
        const part = (name, className, text) => {
            const element = document.createElement(name);
            element.className = className;
            element.textContent = text;
            card.append(element);
        };
        card.className = "rate " + (kind || "");
        part("h3", "", title);
        part("p", "peak", "");
        part("p", "value", "–");
        part("p", "note", note);
        const svg = shape(card, "svg", { viewBox: "0 0 300 48", preserveAspectRatio: "none", "aria-hidden": "true" });
        shape(svg, "path", { class: "area" });
        shape(svg, "path", { class: "curve" });
        $("rates").append(card);
    }
}

function showRates() {
    const end = answers[answers.length - 1].at;
    const span = (KEPT - 1) * EVERY_MS;

    COUNTERS.forEach(([, , get], i) => {
        const card = $("rates").children[i];
        const points = answers.map((answer, j) => [300 * (1 - (end - answer.at) / span), j ? rate(get, 3, j) : null])
            .filter(([x, y]) => y !== null && x >= 0);
        const peak = Math.max(0, ...points.map(([, y]) => y));
        const most = Math.max(1, peak);
        const line = points.map(([x, y]) => `${x.toFixed(1)} ${(46 - 42 * y / most).toFixed(1)}`).join("L");

        setText(card.querySelector(".value"), rateText(rate(get)));
        setText(card.querySelector(".peak"), points.length > 1 ? `peak ${rateText(peak)}` : "");
        if (points.length > 1) {
            card.querySelector(".curve").setAttribute("d", "M" + line);
            card.querySelector(".area").setAttribute("d", `M${points[0][0].toFixed(1)} 48L${line}L300 48Z`);
        }
    });
}

/* Who broadcasts, what is dropped, what is searched for. */

function showTalkers(status) {
    const talkers = status.talkers;

    $("talkers").hidden = !talkers;
    if (!talkers) {
        return;
    }
    setText($("talkers-sum"), talkers.sampled
        ? "of a sample: the switch carries frames itself, and copies some of them" : `since ${since(talkers.since)}`);
    fill($("talkers-rows"), talkers.top.map((t) => [
        plain(t.address || t.mac, t.address ? t.mac : ""),
        plain(t.port === null ? "–" : String(t.port)),
        wide(t.from ? t.from.name || t.from.address || "the mesh" : "this segment"),
        right(rateText(t.rate)),
        { text: (t.frames_over ? "≤ " : "") + number(t.frames), kind: "number" },
        { text: t.dropped ? number(t.dropped) : "–", small: t.reason ? t.reason.replaceAll("_", " ") : "", kind: "number" },
    ]), "Nobody has broadcast yet.");
}

function showDrops(status) {
    const rows = [];

    for (const direction of ["punt", "mesh"]) {
        const key = direction + "_dropped";

        for (const [reason, n] of Object.entries(status.counters[key])) {
            const [meaning, usual] = REASONS[reason] || ["A reason that this page does not know."];
            const now = rate((s) => s.counters[key][reason] || 0);

            rows.push({ now, n, cells: [
                plain(reason.replaceAll("_", " "), DIRECTIONS[direction]),
                { text: meaning, small: usual ? "As it should be." : "" },
                right(rateText(now), now && !usual ? "much" : ""), right(number(n)),
            ] });
        }
    }
    rows.sort((a, b) => b.now - a.now || b.n - a.n);
    setText($("drops-sum"), rows.length ? plural(total(status.counters.dropped), "frame") + " since the start" : "");
    fill($("drops-rows"), rows.map((row) => row.cells), "Nothing has been dropped.");
}

function showSearches(status) {
    const searches = status.searches;

    $("searches").hidden = !searches;
    if (!searches) {
        return;
    }
    setText($("searches-sum"), `${searches.protocols.join(" and ")}; ${plural(searches.names, "name")}, ${number(searches.unanswered)} unanswered` +
        (searches.forgotten ? `, ${number(searches.forgotten)} forgotten` : ""));
    fill($("searches-rows"), searches.top.map((s) => [
        wide(s.name, s.unanswered ? "unanswered: asked for again and again" : ""),
        plain(s.protocol),
        right(rateText(s.rate)), right(number(s.count)),
        right(number(s.repeated), s.unanswered ? "much" : ""),
        wide(s.from.slice(0, 3).map((f) => f.address + (f.local ? "" : " (mesh)")).join(", ") || "–", s.from.length > 3 ? `and ${s.from.length - 3} more` : ""),
        plain(since(s.last), "first " + since(s.first)),
    ]), "Nobody has searched yet.");
}

function showRules(status) {
    const rows = status.replicate.flatMap((rule) => rule.collectors.map((collector, i) => {
        const get = (s) => s.replicate.find((r) => r.name === rule.name)?.collectors
            .find((c) => c.collector === collector.collector)?.datagrams;

        return [
            wide(i ? "" : rule.name, i ? "" : rule.problem || ""),
            plain(i ? "" : rule.match),
            plain(collector.collector),
            plain(collector.state, collector.note || "", collector.state === "up" ? "good" : "down"),
            wide(collector.via || "–"),
            right(rateText(rate(get))), right(number(collector.datagrams)),
        ];
    }));

    $("rules").hidden = !rows.length;
    setText($("rules-sum"), plural(status.replicate.length, "rule"));
    fill($("rules-rows"), rows, "");
}

/* What is wrong. */

function problemsOf(status) {
    const list = [];
    const bad = (title, text) => list.push({ title, text, bad: true });
    const odd = (title, text) => list.push({ title, text });

    if (!status.connected) {
        bad("Not connected to the switch.", `Bridge ${status.bridge} at ${status.switch} does not answer, or does not have the relay's flows: nothing is relayed.`);
    } else if (!status.flows_in_place) {
        odd("The switch's flows are being put right.", "Somebody else has changed them, or the configuration has.");
    }
    if (status.problem) {
        bad("The flows are not up to date.", status.problem);
    }
    if (status.transport.problem) {
        odd("There is no tunnel.", status.transport.problem);
    }
    for (const pause of status.segment.paused) {
        bad(`Port ${pause.port} is paused until ${since(pause.until)}.`, `${number(pause.copies)} copies of what was relayed came back from ${pause.mac}: there is a loop.`);
    }
    if (status.ports.length && !status.segment.forwarder) {
        odd("Nobody forwards for this segment.", status.segment.reason);
    }
    const down = status.peers.filter((peer) => qualityOf(peer) === "down");
    if (down.length) {
        odd(`${plural(down.length, "peer does", "peers do")} not answer.`, down.slice(0, 5).map((peer) => `${peer.name}: ${peer.reason}`).join("; ") + (down.length > 5 ? "; …" : ""));
    }
    for (const rule of status.replicate.filter((r) => r.problem)) {
        odd(`Rule ${rule.name} copies nothing.`, rule.problem);
    }
    return list;
}

function showProblems(list) {
    const place = $("problems");
    const key = JSON.stringify(list);

    if (place.key === key) {
        return;
    }
    place.key = key;
    place.hidden = !list.length;
    place.replaceChildren(...list.map((problem) => {
        const item = document.createElement("li");
        const title = document.createElement("b");

        item.className = problem.bad ? "bad" : "";
        title.textContent = problem.title;
        item.append(title, " " + problem.text);
        return item;
    }));
}

function showHead(status) {
    const [text, tone] = status.connected ? ROLES[status.segment.state] || ["", ""] : ["No switch", "down"];
    const role = status.segment.election || !status.connected ? text : "Forwards, without an election";

    setText($("host"), status.host || "snowrelay");
    document.title = `${status.host || ""} – snowrelay`;
    setText($("facts"), `snowrelay ${status.version} on bridge ${status.bridge}, ` +
        (status.ports.length ? "UDP " + status.ports.join(", ") : "relays nothing") +
        (status.relay_id ? `, relay id ${status.relay_id}` : ""));
    setText($("role"), role);
    $("role").className = "badge " + tone;
    $("role").title = status.segment.reason;
}

/* The time since the last answer, which goes by without one. */
function showAge() {
    const last = answers[answers.length - 1];
    const age = last ? Date.now() - last.clock : Infinity;
    const stale = age > STALE_MS || (failure && age > 2 * EVERY_MS);

    document.body.classList.toggle("stale", Boolean(last && stale));
    setText($("fresh"), last ? `last answer ${Math.round(age / 1000)} s ago` : failure || "no answer yet");
    if (!last && failure) {
        showProblems([{ title: "The relay does not answer.", text: failure, bad: true }]);
    } else if (last) {
        showProblems([...(stale ? [{ title: "The relay does not answer any more.", text: `What is below is as it was at ${since(last.clock)}. ${failure}`, bad: true }] : []),
            ...problemsOf(last.status)]);
    }
}

/* Asking. */

function take(status) {
    const last = answers[answers.length - 1];

    /* One that has started anew counts anew. */
    if (last && status.counters.punted + status.counters.mesh_rx < last.status.counters.punted + last.status.counters.mesh_rx) {
        answers.length = 0;
    }
    status.byPeer = new Map(status.peers.map((peer) => [peerKey(peer), peer]));
    answers.push({ at: performance.now(), clock: Date.now(), status });
    if (answers.length > KEPT) {
        answers.shift();
    }

    /* Of the older ones only what the curves are of. */
    const old = answers[answers.length - 2 - LOST_OVER];
    if (old) {
        old.status = { counters: old.status.counters };
    }
    showHead(status);
    showRates();
    showMesh(status);
    showTalkers(status);
    showDrops(status);
    showSearches(status);
    showPeers(status);
    showRules(status);
}

async function ask() {
    try {
        const response = await fetch("status.json", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });

        if (!response.ok) {
            throw new Error(`It answers ${response.status} ${response.statusText}.`);
        }
        take(await response.json());
        failure = "";
    } catch (error) {
        failure = error.name === "TimeoutError" ? "It takes too long." : error instanceof TypeError ? "It cannot be reached." : error.message;
    }
    showAge();
    setTimeout(ask, EVERY_MS);
}

drawLegend($("legend"));
makeRates();
setInterval(showAge, 1000);
ask();
