// Reading an index's file through a mapping of the worker's own: whole pages, safe against truncation and bad sectors.
#pragma once

#include "registry/file_mapping.h"

namespace xtree {

// A mapping for a while, unmapped at the latest when the memory of the round goes: an ERROR may keep its user from doing it.
FileMapping* NewPassingMapping();

// Copies a page. False: the file has no such page, or the disk cannot give it.
bool CopyPage(const FileMapping& mapping, BlockNumber block, uint8_t* out);

// Has the kernel read pages into the page cache, waiting for it. Breathes.
void Populate(const FileMapping& mapping, BlockNumber first, BlockNumber count);

// Calls visit(block, context) for the pages of directory nodes and the meta page, from the root down. Breathes. Damaged or torn
// nodes are not descended into.
void ForEachDirectoryPage(const FileMapping& mapping, void (*visit)(BlockNumber block, void* context), void* context);

// How many nodes of the upper levels lie over one place (core/estimate/crowding.h), by the first page of the root and of at most eight of its
// children; 0: the root is a leaf, or a page could not be read as it is. Breathes.
double MeasureOverlap(const FileMapping& mapping);

// Looks at every page: checksum, header, page id. False: `problem` names block and reason. Breathes.
bool VerifyPages(const FileMapping& mapping, char* problem, size_t problem_bytes);

}  // namespace xtree
