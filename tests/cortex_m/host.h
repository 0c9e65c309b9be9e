/* What programs on the emulated board need of the host. */
#ifndef HOST_H
#define HOST_H

void host_write(const char* text);
void host_exit(int failed);

#endif
