#ifndef FCGI_UPLOADER_CRC32C_H
#define FCGI_UPLOADER_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * CRC-32C (RFC 3720 section 12.1 and appendix B.4; the Castagnoli polynomial) of ${len} more bytes
 * of ${data}, after those whose checksum is ${crc}; 0 at first.  Uses the processor's instruction
 * where there is one.
 */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/* The same, always by table: what processors without the instruction run. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len);

#endif
