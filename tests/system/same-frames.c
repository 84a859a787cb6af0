/* SPDX-License-Identifier: Apache-2.0 */

/* same-frames SENT.pcap RECEIVED.pcap LOCAL-MAC DESTINATION PORT...
 *
 * Succeeds if RECEIVED holds exactly the IPv4 UDP broadcasts of SENT to one of
 * the PORTs, each once and in the same order, as a relay has to bring them:
 * byte for byte the same, but the Ethernet source is LOCAL-MAC, the IP
 * destination is DESTINATION unless it was 255.255.255.255, and the checksums
 * are right.  Says what differs first otherwise. */

#include <arpa/inet.h>
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IP = 14, UDP = 34, MAX_FRAMES = 10000 };

struct capture {
    uint8_t *frames[MAX_FRAMES];
    size_t lengths[MAX_FRAMES];
    size_t n;
};

static void __attribute__((noreturn, format(printf, 1, 2)))
fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static uint16_t
get16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

/* Reads the IPv4 UDP broadcasts to one of 'ports' in 'file'. */
static void
read_capture(const char *file, char *ports[], struct capture *capture)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_open_offline(file, error);
    struct pcap_pkthdr *header;
    const u_char *bytes;

    if (!pcap) {
        fail("%s", error);
    }
    while (pcap_next_ex(pcap, &header, &bytes) == 1) {
        bool wanted = false;

        if (header->caplen != header->len || header->caplen < UDP + 8
            || memcmp(bytes, "\xff\xff\xff\xff\xff\xff", 6)
            || get16(bytes + 12) != 0x0800 || bytes[IP] != 0x45
            || bytes[IP + 9] != IPPROTO_UDP) {
            continue;
        }
        for (char **port = ports; *port; port++) {
            wanted |= atoi(*port) == get16(bytes + UDP + 2);
        }
        if (wanted) {
            if (capture->n == MAX_FRAMES) {
                fail("%s: more than %d frames", file, MAX_FRAMES);
            }
            capture->lengths[capture->n] = header->caplen;
            capture->frames[capture->n] = malloc(header->caplen);
            memcpy(capture->frames[capture->n++], bytes, header->caplen);
        }
    }
    pcap_close(pcap);
}

/* Adds the 'n' bytes at 'bytes', as 16-bit numbers, to 'sum'. */
static uint32_t
add(uint32_t sum, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sum += i % 2 ? bytes[i] : bytes[i] << 8;
    }
    return sum;
}

/* Sets the checksums of 'frame' to what they have to be. */
static void
set_checksums(uint8_t *frame)
{
    uint16_t udp_length = get16(frame + UDP + 4);
    uint32_t sum;

    frame[IP + 10] = frame[IP + 11] = 0;
    sum = add(0, frame + IP, UDP - IP);
    for (int i = 0; i < 2; i++) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    frame[IP + 10] = ~sum >> 8;
    frame[IP + 11] = ~sum;

    if (get16(frame + UDP + 6)) {
        frame[UDP + 6] = frame[UDP + 7] = 0;
        sum = add(IPPROTO_UDP + udp_length, frame + IP + 12, 8);
        sum = add(sum, frame + UDP, udp_length);
        for (int i = 0; i < 2; i++) {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum = (sum & 0xffff) == 0xffff ? 0xffff : ~sum & 0xffff;
        frame[UDP + 6] = sum >> 8;
        frame[UDP + 7] = sum;
    }
}

int
main(int argc, char *argv[])
{
    static struct capture sent, received;
    uint8_t mac[6];
    struct in_addr destination;

    if (argc < 6
        || sscanf(argv[3], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1],
                  &mac[2], &mac[3], &mac[4], &mac[5])
               != 6
        || inet_pton(AF_INET, argv[4], &destination) != 1) {
        fail("usage: same-frames SENT RECEIVED LOCAL-MAC DESTINATION PORT...");
    }
    read_capture(argv[1], argv + 5, &sent);
    read_capture(argv[2], argv + 5, &received);
    if (!sent.n) {
        fail("%s: no broadcasts to compare", argv[1]);
    }
    if (sent.n != received.n) {
        fail("%zu frames sent, %zu received", sent.n, received.n);
    }

    for (size_t i = 0; i < sent.n; i++) {
        uint8_t *frame = sent.frames[i];

        memcpy(frame + 6, mac, sizeof mac);
        if (memcmp(frame + IP + 16, "\xff\xff\xff\xff", 4)) {
            memcpy(frame + IP + 16, &destination, 4);
        }
        set_checksums(frame);
        if (sent.lengths[i] != received.lengths[i]) {
            fail("frame %zu: %zu bytes sent, %zu received", i + 1,
                 sent.lengths[i], received.lengths[i]);
        }
        for (size_t j = 0; j < sent.lengths[i]; j++) {
            if (frame[j] != received.frames[i][j]) {
                fail("frame %zu: byte %zu is %02x, not %02x", i + 1, j,
                     received.frames[i][j], frame[j]);
            }
        }
    }
    printf("%zu frames the same\n", sent.n);
    return 0;
}
