/* SpanDSP on raw mu-law, for comparison with `cargo bench --bench tones`: spandsp FILE.
   Prints how many times faster than real time its DTMF receiver and its detector of supervisory tones
   are (six tones, as a peer would set it up), by the time on the processor, the median of 11 runs. */
#include <spandsp.h>
#include <spandsp/super_tone_rx.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RUNS = 11, BLOCK = 160, RATE = 8000 };

static void on_digits(void *user, const char *digits, int n) { (void)user; (void)digits; (void)n; }
static void on_tone(void *user, int code, int level, int delay) {
    (void)user; (void)code; (void)level; (void)delay;
}

static double busy(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void keys(const int16_t *sound, int n) {
    dtmf_rx_state_t *state = dtmf_rx_init(NULL, on_digits, NULL);
    for (int at = 0; at < n; at += BLOCK) dtmf_rx(state, sound + at, n - at < BLOCK ? n - at : BLOCK);
    dtmf_rx_free(state);
}

/* Each row: first frequency, second, shortest, longest time in ms. */
static void tone(super_tone_rx_descriptor_t *tones, int rows, const int row[][4]) {
    int id = super_tone_rx_add_tone(tones);
    for (int n = 0; n < rows; n++)
        super_tone_rx_add_element(tones, id, row[n][0], row[n][1], row[n][2], row[n][3]);
}

static super_tone_rx_descriptor_t *six_tones(void) {
    static const int dial[][4] = {{350, 440, 400, 0}};
    static const int busy_us[][4] = {{480, 620, 400, 600}, {0, 0, 400, 600}};
    static const int reorder[][4] = {{480, 620, 200, 300}, {0, 0, 200, 300}};
    static const int ringing_us[][4] = {{440, 480, 1700, 2300}, {0, 0, 3400, 4600}};
    static const int busy_eu[][4] = {{425, 0, 400, 600}, {0, 0, 400, 600}};
    static const int ringing_uk[][4] = {
        {400, 450, 330, 470}, {0, 0, 150, 250}, {400, 450, 330, 470}, {0, 0, 1700, 2300}};
    super_tone_rx_descriptor_t *tones = super_tone_rx_make_descriptor(NULL);
    tone(tones, 1, dial);
    tone(tones, 2, busy_us);
    tone(tones, 2, reorder);
    tone(tones, 2, ringing_us);
    tone(tones, 2, busy_eu);
    tone(tones, 4, ringing_uk);
    return tones;
}

static void supervision(super_tone_rx_descriptor_t *tones, const int16_t *sound, int n) {
    super_tone_rx_state_t *state = super_tone_rx_init(NULL, tones, on_tone, NULL);
    for (int at = 0; at < n; at += BLOCK)
        super_tone_rx(state, sound + at, n - at < BLOCK ? n - at : BLOCK);
    super_tone_rx_free(state);
}

int main(int count, char **arguments) {
    FILE *file = count > 1 ? fopen(arguments[1], "rb") : NULL;
    if (!file) return fputs("spandsp FILE: raw mu-law\n", stderr), 2;
    fseek(file, 0, SEEK_END);
    int n = (int)ftell(file);
    rewind(file);
    uint8_t *codes = malloc(n);
    int16_t *sound = malloc(n * sizeof *sound);
    if (fread(codes, 1, n, file) != (size_t)n) return 1;
    for (int at = 0; at < n; at++) sound[at] = ulaw_to_linear(codes[at]);
    super_tone_rx_descriptor_t *tones = six_tones();
    for (int what = 0; what < 2; what++) {
        double times[RUNS];
        for (int run = 0; run < RUNS; run++) {
            double begin = busy();
            if (what) supervision(tones, sound, n);
            else keys(sound, n);
            times[run] = busy() - begin;
        }
        qsort(times, RUNS, sizeof *times, ascending);
        double speed = (double)n / RATE / times[RUNS / 2];
        printf("  SpanDSP, %-35s %9.0f\n", what ? "six tones" : "keys (DTMF)", speed);
    }
    return 0;
}
