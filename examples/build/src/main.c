#include "greet.h"

#include <stdio.h>

int main(void) { return puts(greeting()) < 0; }
