/*
 * Stands for the shim: BoringSSL's runner starts it for each of thousands of tests. It hands its arguments to the warm
 * process of serve.mjs and prints what comes back. warm-server.ts says what is spoken on the socket.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *what) {
  perror(what);
  return 2;
}

static int write_all(int to, const void *bytes, size_t length) {
  for (size_t done = 0; done < length;) {
    ssize_t count = write(to, (const char *)bytes + done, length - done);
    if (count <= 0) return -1;
    done += (size_t)count;
  }
  return 0;
}

static int read_all(int from, void *bytes, size_t length) {
  for (size_t done = 0; done < length;) {
    ssize_t count = read(from, (char *)bytes + done, length - done);
    if (count <= 0) return -1;
    done += (size_t)count;
  }
  return 0;
}

static int send_arguments(int to, int argc, char **argv) {
  uint32_t length = 0;
  for (int i = 1; i < argc; i++) length += (uint32_t)strlen(argv[i]) + 1;
  unsigned char head[4] = {length, length >> 8, length >> 16, length >> 24};
  if (write_all(to, head, sizeof head) != 0) return -1;
  for (int i = 1; i < argc; i++)
    if (write_all(to, argv[i], strlen(argv[i]) + 1) != 0) return -1;
  return 0;
}

int main(int argc, char **argv) {
  int server = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCKET_PATH};
  if (server < 0 || connect(server, (struct sockaddr *)&address, sizeof address) != 0) return fail(SOCKET_PATH);
  if (send_arguments(server, argc, argv) != 0) return fail("send");
  for (;;) {
    unsigned char head[5];
    if (read_all(server, head, sizeof head) != 0) return fail("the warm shim went away");
    uint32_t length = head[1] | head[2] << 8 | head[3] << 16 | (uint32_t)head[4] << 24;
    char *bytes = malloc(length + 1);
    if (bytes == NULL || read_all(server, bytes, length) != 0) return fail("read");
    if (head[0] == 'x') return (unsigned char)bytes[0];
    write_all(head[0] == 'o' ? STDOUT_FILENO : STDERR_FILENO, bytes, length);
    free(bytes);
  }
}
