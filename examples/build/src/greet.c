#include "greet.h"
#include "version.h"

const char* greeting(void) { return "hello from " VERSION; }
