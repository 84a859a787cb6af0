/* SPDX-License-Identifier: Apache-2.0 */

/* The picture of the mesh.
 *
 * draw() takes segments, each with its relays, this relay's own first, and
 * draws them around that: as boxes if they are few, in two columns if they are
 * more, and as rings of dots if they are many. */

const SVG = "http://www.w3.org/2000/svg";
const MANY = 64; /* More relays than this become dots. */
const FEW = 10;  /* No more segments than this become boxes. */

/* Makes an SVG element in 'parent'.  Text is only ever text. */
function shape(parent, name, attributes, text) {
    const element = document.createElementNS(SVG, name);

    for (const [key, value] of Object.entries(attributes)) {
        element.setAttribute(key, value);
    }
    if (text !== undefined) {
        element.textContent = text;
    }
    parent.append(element);
    return element;
}

const shorten = (text, n) => (text.length > n ? text.slice(0, n - 1) + "…" : text);

/* Draws the mark of 'relay' at 'x', 'y': a ring, with a core if it forwards,
 * and a cross if it does not answer. */
function drawMark(parent, relay, x, y, r) {
    const g = shape(parent, "g", { class: relay.quality });

    shape(g, "circle", { class: "node", cx: x, cy: y, r });
    if (relay.forwards) {
        shape(g, "circle", { class: "core", cx: x, cy: y, r: Math.max(r - 3.5, r * 0.5) });
    }
    if (relay.quality === "down") {
        const d = r * 0.55;
        shape(g, "path", { class: "cross", d: `M${x - d} ${y - d}l${2 * d} ${2 * d}m0 ${-2 * d}l${-2 * d} ${2 * d}` });
    }
    return g;
}

function drawLink(parent, relay, d) {
    shape(shape(parent, "path", { class: "link " + relay.quality, d }), "title", {}, relay.title);
}

/* A box with a segment's relays, its middle at 'x', 'y'. */
const BOX = { width: 236, row: 38, head: 26 };

const boxHeight = (segment) => BOX.head + segment.relays.length * BOX.row + 4;

function drawBox(parent, segment, x, y) {
    const height = boxHeight(segment);
    const left = x - BOX.width / 2;
    const top = y - height / 2;
    const g = shape(parent, "g", {});

    shape(g, "rect", { class: segment.own ? "segment own" : "segment", x: left, y: top, width: BOX.width, height, rx: 8 });
    shape(g, "text", { class: "dim", x: left + 12, y: top + 18 }, segment.label);
    segment.relays.forEach((relay, i) => {
        const row = top + BOX.head + i * BOX.row + 15;
        const line = shape(g, "g", {});

        shape(line, "title", {}, relay.title);
        drawMark(line, relay, left + 22, row, 8);
        shape(line, "text", { class: relay.self ? "strong" : "", x: left + 40, y: row + 1 }, shorten(relay.name, 24));
        shape(line, "text", { class: relay.quality === "down" ? "dim bad" : "dim", x: left + 40, y: row + 16 }, shorten(relay.note, 29));
    });
}

/* Where the box of 'segment' has row 'i'. */
const rowY = (segment, y, i) => y - boxHeight(segment) / 2 + BOX.head + i * BOX.row + 15;

/* Boxes around the middle. */
function drawBoxes(svg, own, others) {
    const width = 1180;
    const tallest = Math.max(boxHeight(own), ...others.map(boxHeight));
    const sides = [[], []];

    others.forEach((segment, i) => sides[others.length === 1 ? 1 : i % 2].push(segment));
    const gap = 16;
    const columnHeight = (side) => side.reduce((sum, s) => sum + boxHeight(s) + gap, -gap);
    const height = Math.max(tallest, ...sides.map(columnHeight), 150) + 40;
    const middle = { x: width / 2, y: height / 2 };
    const links = shape(svg, "g", {});

    sides.forEach((side, s) => {
        let y = middle.y - columnHeight(side) / 2;

        side.forEach((segment) => {
            const x = s ? width - BOX.width / 2 - 20 : BOX.width / 2 + 20;
            const center = y + boxHeight(segment) / 2;
            const edge = x + (s ? -1 : 1) * BOX.width / 2;
            const from = middle.x + (s ? 1 : -1) * BOX.width / 2;

            segment.relays.forEach((relay, i) => {
                const to = rowY(segment, center, i);
                const bend = (from + edge) / 2;

                drawLink(links, relay, `M${from} ${rowY(own, middle.y, 0)}C${bend} ${rowY(own, middle.y, 0)} ${bend} ${to} ${edge} ${to}`);
            });
            drawBox(svg, segment, x, center);
            y += boxHeight(segment) + gap;
        });
    });
    drawBox(svg, own, middle.x, middle.y);
    return { width, height };
}

/* Two columns of relays, one line each. */
function drawColumns(svg, own, others) {
    const width = 1180;
    const row = 21;
    const gap = 7;
    const all = others.reduce((n, s) => n + s.relays.length, 0);
    const sides = [[], []];
    let n = 0;

    for (const segment of others) {
        sides[n * 2 < all ? 0 : 1].push(segment);
        n += segment.relays.length;
    }
    const columnHeight = (side) => side.reduce((sum, s) => sum + s.relays.length * row + gap, 0);
    const height = Math.max(...sides.map(columnHeight), boxHeight(own)) + 30;
    const middle = { x: width / 2, y: height / 2 };
    const links = shape(svg, "g", {});

    sides.forEach((side, s) => {
        const x = s ? width - 290 : 290;
        const from = middle.x + (s ? 1 : -1) * BOX.width / 2;
        const out = s ? 1 : -1;
        let y = middle.y - columnHeight(side) / 2 + gap / 2;

        side.forEach((segment) => {
            if (segment.relays.length > 1) {
                shape(svg, "rect", { class: "segment", x: s ? x - 14 : x - 270, y, width: 284, height: segment.relays.length * row, rx: 6 });
            }
            segment.relays.forEach((relay, i) => {
                const at = y + i * row + row / 2;
                const edge = x - out * 8;
                const bend = (from + edge) / 2;
                const g = shape(svg, "g", {});

                drawLink(links, relay, `M${from} ${middle.y}C${bend} ${middle.y} ${bend} ${at} ${edge} ${at}`);
                shape(g, "title", {}, relay.title);
                drawMark(g, relay, x, at, 6);
                shape(g, "text", { x: x + out * 14, y: at + 4.5, "text-anchor": s ? "start" : "end" }, shorten(relay.name, 20));
                shape(g, "text", { class: relay.quality === "down" ? "dim bad" : "dim", x: x + out * 160, y: at + 4.5, "text-anchor": s ? "start" : "end" }, shorten(relay.brief, 16));
            });
            y += segment.relays.length * row + gap;
        });
    });
    drawBox(svg, own, middle.x, middle.y);
    return { width, height };
}

/* Returns how many dots each ring has, all about as close to each other, and
 * the radius of each. */
function ringsFor(n) {
    const spacing = 20;
    const rings = [];
    let room = 0;

    for (let r = 150; room < n; r += 32) {
        rings.push({ r, room: Math.floor(2 * Math.PI * r / spacing) });
        room += rings[rings.length - 1].room;
    }
    let left = n;
    for (const ring of rings) {
        ring.n = Math.min(left, Math.ceil(ring.room * n / room));
        left -= ring.n;
    }
    return rings;
}

/* Writes the names of the dots in 'named', all on one side of the rings, in a
 * column at 'x', each as near to its dot as the others let it be. */
function drawNames(svg, named, x, height) {
    const row = 19;
    const side = x > named[0]?.x ? 1 : -1;
    let floor = 16;

    named.sort((a, b) => a.y - b.y);
    named.forEach((dot, i) => {
        const y = Math.max(floor, Math.min(dot.y, height - 16 - (named.length - 1 - i) * row));

        floor = y + row;
        shape(svg, "path", { class: "leader", d: `M${dot.x + side * 8} ${dot.y}L${x - side * 14} ${y}L${x - side * 4} ${y}` });
        shape(svg, "text", { x, y: y + 4.5, "text-anchor": side > 0 ? "start" : "end" }, shorten(dot.relay.name + ", " + dot.relay.brief, 36));
    });
}

/* Rings of dots, of which those that need attention have a name. */
function drawRings(svg, own, others) {
    const relays = others.flatMap((segment) =>
        segment.relays.map((relay, i) => ({ ...relay, joined: i > 0 })));
    const rings = ringsFor(relays.length);
    const outer = rings[rings.length - 1].r;
    const width = 1180;
    const height = 2 * outer + 50;
    const middle = { x: width / 2, y: height / 2 };
    const links = shape(svg, "g", {});
    const dots = [];

    for (const [k, { r, n }] of rings.entries()) {
        for (let i = 0; i < n; i++) {
            const relay = relays[dots.length];
            const angle = 2 * Math.PI * (i + k * 0.37) / n - Math.PI / 2;
            const [x, y] = [middle.x + r * Math.cos(angle), middle.y + r * Math.sin(angle)];

            drawLink(links, relay, `M${middle.x} ${middle.y}L${x} ${y}`);
            if (relay.joined && i > 0) {
                const before = dots[dots.length - 1];
                shape(svg, "path", { class: "joint", d: `M${before.x} ${before.y}L${x} ${y}` });
            }
            dots.push({ relay, x, y });
        }
    }
    const named = ["down", "much", "some"]
        .flatMap((quality) => dots.filter((dot) => dot.relay.quality === quality)).slice(0, 24);

    drawNames(svg, named.filter((dot) => dot.x >= middle.x), middle.x + outer + 40, height);
    drawNames(svg, named.filter((dot) => dot.x < middle.x), middle.x - outer - 40, height);
    for (const { relay, x, y } of dots) {
        const g = shape(svg, "g", {});

        shape(g, "title", {}, relay.title);
        drawMark(g, relay, x, y, 6);
    }
    drawBox(svg, own, middle.x, middle.y);
    return { width, height };
}

/* Draws the mesh into 'place', with 'summary' for those who do not see it. */
function draw(place, own, others, summary) {
    const n = others.reduce((sum, segment) => sum + segment.relays.length, 0);
    const svg = document.createElementNS(SVG, "svg");
    const kind = n > MANY ? drawRings : others.length > FEW || n > 2 * FEW ? drawColumns : drawBoxes;

    svg.setAttribute("role", "img");
    svg.setAttribute("aria-labelledby", "picture-title picture-summary");
    svg.setAttribute("class", kind === drawRings ? "many" : "");
    shape(svg, "title", { id: "picture-title" }, "The mesh as this relay sees it");
    shape(svg, "desc", { id: "picture-summary" }, summary);
    const { width, height } = kind(svg, own, others);

    svg.setAttribute("viewBox", `0 0 ${width} ${Math.ceil(height)}`);
    place.replaceChildren(svg);
}

/* Draws the legend into the list 'place'. */
function drawLegend(place) {
    const entry = (paint, text) => {
        const item = document.createElement("li");
        const svg = shape(item, "svg", { viewBox: "0 0 34 14", "aria-hidden": "true" });

        paint(svg);
        item.append(text);
        place.append(item);
    };
    for (const [quality, text] of Object.entries(QUALITIES)) {
        entry((svg) => shape(svg, "path", { class: "link " + quality, d: "M1 7H33" }), text);
    }
    entry((svg) => drawMark(svg, { quality: "good", forwards: true }, 17, 7, 6), "forwards for its segment");
    entry((svg) => drawMark(svg, { quality: "good" }, 17, 7, 6), "stands by");
}
