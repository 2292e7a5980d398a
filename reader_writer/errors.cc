#include "reader_writer/errors.h"

namespace async {

Reader_in_use::Reader_in_use()
    : std::logic_error("the reader is in use: another read has not been determined yet") {}

Writer_closed::Writer_closed() : std::logic_error("write to a writer that was closed") {}

}  // namespace async
