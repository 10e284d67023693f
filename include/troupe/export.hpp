#pragma once

/// Marks what the shared library gives to programs. Everything else in it is hidden.
#define TROUPE_EXPORT __attribute__((visibility("default")))
