/* A stand-in for NVIDIA's libnvidia-ml.so.1, so that the real nvidia-ml-py runs on a machine without a card.
 *
 * Every call reads the file that NVML_STANDIN_STATE names, one word a line:
 *   none            no card
 *   card            a GTX 1080 with 8 GiB, 1 GiB of it in use
 *   full            all of it in use
 *   throttled       the card is slowed down by its power cap and its heat
 *   lost            the driver is gone
 *   lost-later      the driver is gone from the second question on
 *   no-energy       the card has no energy counter
 *   counts          the driver counts for how long it held the card back
 *   old-driver      the driver knows the older question for processes alone
 *   second          there are two cards, and the second one is hot
 * The numbers of results and reasons are those of NVIDIA's nvml.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, DRIVER_NOT_LOADED = 9, NO_FUNCTION = 13, GPU_IS_LOST = 15 };
enum { POWER_CAP = 0x4, SOFTWARE_THERMAL = 0x20 };

static int asked, second;

static int state(const char *word) {
  char line[64];
  int found = 0;
  FILE *file = fopen(getenv("NVML_STANDIN_STATE"), "r");
  while (file && fgets(line, sizeof line, file))
    if (!strcmp(strtok(line, "\n"), word)) found = 1;
  if (file) fclose(file);
  return found;
}

static int question(void) {
  asked++;
  return state("lost") || (state("lost-later") && asked > 1) ? GPU_IS_LOST : SUCCESS;
}

int nvmlInit_v2(void) { return state("lost") ? DRIVER_NOT_LOADED : SUCCESS; }
int nvmlInitWithFlags(unsigned flags) { (void)flags; return nvmlInit_v2(); }
int nvmlShutdown(void) { return state("lost-later") ? GPU_IS_LOST : SUCCESS; }

const char *nvmlErrorString(int result) { return result == GPU_IS_LOST ? "GPU is lost" : "another error"; }

int nvmlSystemGetDriverVersion(char *text, unsigned length) {
  if (question()) return GPU_IS_LOST;
  snprintf(text, length, "535.183.01");
  return SUCCESS;
}

int nvmlDeviceGetCount_v2(unsigned *count) { *count = !state("none"); return SUCCESS; }

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
  if (index > (unsigned)state("second") || state("none")) return INVALID_ARGUMENT;
  *device = index ? &second : &asked;
  return SUCCESS;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, void **device) {
  return nvmlDeviceGetHandleByIndex_v2(!strcmp(uuid, "GPU-2"), device);
}

int nvmlDeviceGetName(void *device, char *text, unsigned length) {
  (void)device;
  if (question()) return GPU_IS_LOST;
  snprintf(text, length, "NVIDIA GeForce GTX 1080");
  return SUCCESS;
}

int nvmlDeviceGetCudaComputeCapability(void *device, int *major, int *minor) {
  (void)device;
  if (question()) return GPU_IS_LOST;
  *major = 6;
  *minor = 1;
  return SUCCESS;
}

struct memory { unsigned long long total, free, used; };

int nvmlDeviceGetMemoryInfo(void *device, struct memory *memory) {
  (void)device;
  if (question()) return GPU_IS_LOST;
  memory->total = 8ull << 30;
  memory->used = state("full") ? memory->total : 1ull << 30;
  memory->free = memory->total - memory->used;
  return SUCCESS;
}

int nvmlDeviceGetClockInfo(void *device, int type, unsigned *megahertz) {
  (void)device, (void)type;
  if (question()) return GPU_IS_LOST;
  *megahertz = state("throttled") ? 1101 : 1733;
  return SUCCESS;
}

int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *celsius) {
  (void)sensor;
  if (question()) return GPU_IS_LOST;
  *celsius = state("throttled") || device == &second ? 91 : 62;
  return SUCCESS;
}

static int reasons(unsigned long long *bits) {
  if (question()) return GPU_IS_LOST;
  *bits = state("throttled") ? POWER_CAP | SOFTWARE_THERMAL : 0;
  return SUCCESS;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(void *device, unsigned long long *bits) { (void)device; return reasons(bits); }
int nvmlDeviceGetCurrentClocksEventReasons(void *device, unsigned long long *bits) { (void)device; return reasons(bits); }

int nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *millijoules) {
  (void)device;
  if (question()) return GPU_IS_LOST;
  if (state("no-energy")) return NOT_SUPPORTED;
  *millijoules = 123456;
  return SUCCESS;
}

struct violation { unsigned long long reference, nanoseconds; };

int nvmlDeviceGetViolationStatus(void *device, unsigned policy, struct violation *held) {
  (void)device;
  if (question()) return GPU_IS_LOST;
  if (!state("counts") || policy > 1) return NOT_SUPPORTED;
  held->nanoseconds = policy ? 2000000000 : state("throttled") ? 3500000000 : 500000000; /* 0 is power, 1 is heat */
  return SUCCESS;
}

struct process { unsigned pid; unsigned long long memory; unsigned gpu_instance, compute_instance; };

int nvmlDeviceGetComputeRunningProcesses_v2(void *device, unsigned *count, struct process *processes) {
  (void)device;
  if (question()) return GPU_IS_LOST;
  if (*count < 1) {
    *count = 1;
    return 7; /* NVML_ERROR_INSUFFICIENT_SIZE: the caller asks for the number first */
  }
  *count = 1;
  memset(processes, 0, sizeof *processes);
  processes->pid = 4242;
  return SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count, struct process *processes) {
  return state("old-driver") ? NO_FUNCTION : nvmlDeviceGetComputeRunningProcesses_v2(device, count, processes);
}
