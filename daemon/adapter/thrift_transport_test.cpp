// Frames of Thrift as bytes on a socket, without an adapter around them.
#include "adapter/detail/thrift_transport.h"

#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include <thrift/protocol/TBinaryProtocol.h>

#include "adapter/thrift_bytes_test.h"

namespace isthmus::adapter {
namespace {

using namespace std::chrono_literals;
using apache::thrift::protocol::TBinaryProtocolT;

const SystemClock kClock;

// Thrift 0.17 forgets what it has consumed only when it writes (THRIFT-5371): frames that are read one after the other,
// each larger than the last, 96 MiB in sum where one frame may have 32.
TEST(AT25, ReadsMoreThanAFrameMayHoldInFramesOneAfterTheOther) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  constexpr std::size_t kFrames = 96;
  const std::jthread writer([&] {
    for (std::size_t i = 0; i < kFrames; ++i) {
      const std::string text((std::size_t{1} << 20) + i, 'x');
      put(ends[1], frame(big_endian(static_cast<std::uint32_t>(text.size())) + text));
    }
    (void)::close(ends[1]);
  });
  auto socket = std::make_shared<detail::DeadlineSocket>(kClock, ends[0]);  // closes before the writer is waited for
  socket->set_deadline(60s);
  const auto frames = std::make_shared<detail::MessageFrames>(socket);
  TBinaryProtocolT<detail::MessageFrames> protocol(frames);
  for (std::size_t i = 0; i < kFrames; ++i) {
    std::string text;
    ASSERT_NO_THROW(protocol.readString(text)) << i;
    EXPECT_EQ(text.size(), (std::size_t{1} << 20) + i);
    ASSERT_NO_THROW(frames->readEnd());
  }
}

TEST(AT25, BindsWhatIsReadToItsFrame) {
  for (const auto& [items, good] : {std::pair{8'000'000u, false}, {4u, false}, {3u, true}}) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    auto socket = std::make_shared<detail::DeadlineSocket>(kClock, ends[0]);
    socket->set_deadline(5s);
    put(ends[1], frame("\x0b" + big_endian(items) + std::string(8, '\0')));  // 13 bytes; each text has 4
    (void)::close(ends[1]);
    TBinaryProtocolT<detail::MessageFrames> protocol(std::make_shared<detail::MessageFrames>(socket));
    apache::thrift::protocol::TType type{};
    std::uint32_t size = 0;
    if (good) {
      EXPECT_NO_THROW(protocol.readListBegin(type, size));
    } else {
      EXPECT_THROW(protocol.readListBegin(type, size), apache::thrift::TException) << items;
    }
  }
}

}  // namespace
}  // namespace isthmus::adapter
