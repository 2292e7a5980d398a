#include "async/pipe.h"

namespace async::Pipe {

Write_to_closed_pipe::Write_to_closed_pipe() : std::logic_error("write to a closed pipe") {}

}  // namespace async::Pipe
