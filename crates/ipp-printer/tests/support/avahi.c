/* Stands in for libavahi-client where ippeveprinter is run without a DNS-SD daemon.
 *
 * ippeveprinter refuses to start without one, even when told to register nothing (-r off). These
 * are the functions it calls before that; each says that all is well and does nothing.
 */
#include <stddef.h>

static int standing; /* something to point at: a null pointer would mean failure */

void *avahi_threaded_poll_new(void) { return &standing; }
void *avahi_threaded_poll_get(void *poll) { (void)poll; return &standing; }
int avahi_threaded_poll_start(void *poll) { (void)poll; return 0; }
int avahi_threaded_poll_stop(void *poll) { (void)poll; return 0; }
void avahi_threaded_poll_free(void *poll) { (void)poll; }
void avahi_threaded_poll_lock(void *poll) { (void)poll; }
void avahi_threaded_poll_unlock(void *poll) { (void)poll; }

void *avahi_client_new(void *poll, int flags, void *callback, void *data, int *error) {
  (void)poll; (void)flags; (void)callback; (void)data;
  if (error != NULL) *error = 0;
  return &standing;
}
void avahi_client_free(void *client) { (void)client; }
int avahi_client_errno(void *client) { (void)client; return 0; }
const char *avahi_client_get_host_name_fqdn(void *client) { (void)client; return "localhost"; }
