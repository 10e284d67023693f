#include "a_header_that_is_gone.h"

int legacy(void) { return GONE; }
