/*
 * A printer on USB that others made: PAPPL's own IPP over USB gadget (functionfs and f_printer on whatever controller the
 * kernel has), with a driver that keeps each document instead of printing it. Runs in the guest of `cargo xtask usb`.
 *
 * pappl_printer FOLDER   sockets, spool and log lie in FOLDER, and each printed document as FOLDER/out/JOB
 */
#include <pappl/pappl.h>

static char out_folder[512];

/* One whole document: copied, and counted as one impression by PAPPL itself. */
static bool print_file(pappl_job_t *job, pappl_pr_options_t *options, pappl_device_t *device)
{
  char path[640], buffer[8192];
  size_t got;
  bool kept = true;
  FILE *from, *to;

  (void)options;
  (void)device;
  snprintf(path, sizeof(path), "%s/%d", out_folder, papplJobGetID(job));
  from = fopen(papplJobGetFilename(job), "rb");
  if (!from)
    return (false);
  to = fopen(path, "wb");
  if (!to)
  {
    fclose(from);
    return (false);
  }
  while ((got = fread(buffer, 1, sizeof(buffer), from)) > 0)
    kept = kept && fwrite(buffer, 1, got, to) == got;
  kept = !ferror(from) && kept;
  fclose(from);
  return (fclose(to) == 0 && kept);
}

/* PAPPL insists on these; no raster is sent to this printer. */
static bool end_job(pappl_job_t *job, pappl_pr_options_t *options, pappl_device_t *device)
{
  (void)job;
  (void)options;
  (void)device;
  return (true);
}

static bool page(pappl_job_t *job, pappl_pr_options_t *options, pappl_device_t *device, unsigned number)
{
  (void)number;
  return (end_job(job, options, device));
}

static bool line(pappl_job_t *job, pappl_pr_options_t *options, pappl_device_t *device, unsigned y,
                 const unsigned char *pixels)
{
  (void)y;
  (void)pixels;
  return (end_job(job, options, device));
}

static bool driver(pappl_system_t *system, const char *name, const char *device_uri, const char *device_id,
                   pappl_pr_driver_data_t *data, ipp_t **attributes, void *context)
{
  (void)system;
  (void)name;
  (void)device_uri;
  (void)device_id;
  (void)attributes;
  (void)context;
  papplCopyString(data->make_and_model, "Contoh Gadget", sizeof(data->make_and_model));
  data->printfile_cb = print_file;
  data->format = "application/pdf";
  data->rstartjob_cb = end_job;
  data->rendjob_cb = end_job;
  data->rstartpage_cb = page;
  data->rendpage_cb = page;
  data->rwriteline_cb = line;
  data->ppm = 20;
  data->raster_types = PAPPL_PWG_RASTER_TYPE_SGRAY_8;
  data->num_resolution = 1;
  data->x_resolution[0] = data->y_resolution[0] = data->x_default = data->y_default = 300;
  data->color_supported = data->color_default = PAPPL_COLOR_MODE_MONOCHROME;
  data->quality_default = IPP_QUALITY_NORMAL;
  data->orient_default = IPP_ORIENT_NONE;
  data->sides_supported = data->sides_default = PAPPL_SIDES_ONE_SIDED;
  data->left_right = data->bottom_top = 423;
  data->num_media = 1;
  data->media[0] = "iso_a4_210x297mm";
  data->num_source = 1;
  data->source[0] = "main";
  data->num_type = 1;
  data->type[0] = "stationery";
  papplCopyString(data->media_default.size_name, data->media[0], sizeof(data->media_default.size_name));
  data->media_default.size_width = 21000;
  data->media_default.size_length = 29700;
  data->media_default.left_margin = data->media_default.right_margin = data->left_right;
  data->media_default.top_margin = data->media_default.bottom_margin = data->bottom_top;
  papplCopyString(data->media_default.source, "main", sizeof(data->media_default.source));
  papplCopyString(data->media_default.type, "stationery", sizeof(data->media_default.type));
  data->media_ready[0] = data->media_default;
  return (true);
}

int main(int argc, char *argv[])
{
  static pappl_pr_driver_t drivers[] = {{"contoh", "Contoh Gadget", NULL, NULL}};
  char spool[512], log[512], door[512];
  pappl_system_t *system;
  pappl_printer_t *printer;

  if (argc != 2)
  {
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return (64);
  }
  snprintf(out_folder, sizeof(out_folder), "%s/out", argv[1]);
  snprintf(spool, sizeof(spool), "%s/spool", argv[1]);
  snprintf(log, sizeof(log), "%s/log", argv[1]);
  snprintf(door, sizeof(door), "%s/door", argv[1]);
  system = papplSystemCreate(PAPPL_SOPTIONS_USB_PRINTER | PAPPL_SOPTIONS_NO_TLS, "Contoh", 0, NULL, spool, log,
                             PAPPL_LOGLEVEL_INFO, NULL, false);
  if (!system)
    return (1);
  papplSystemAddListeners(system, door);
  papplSystemSetPrinterDrivers(system, 1, drivers, NULL, NULL, driver, NULL);
  printer = papplPrinterCreate(system, 0, "Contoh", "contoh", "MFG:Contoh;MDL:Gadget;CMD:PDF;SN:PAPPL-1;",
                               "file:///dev/null");
  if (!printer)
    return (1);
  papplSystemSetDefaultPrinterID(system, papplPrinterGetID(printer));
  papplPrinterSetUSB(printer, 0x1209, 0x0002, PAPPL_UOPTIONS_NONE, NULL, NULL, NULL);
  papplSystemRun(system);
  papplSystemDelete(system);
  return (0);
}
