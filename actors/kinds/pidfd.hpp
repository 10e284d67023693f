#pragma once

// glibc 2.36 (Debian 12) forgot to declare these as C; in later versions this changes nothing.
extern "C" {
#include <sys/pidfd.h>
}
