#pragma once

#include <filesystem>
#include <memory>

#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TVirtualTransport.h>

#include "base/clock.h"

/// What Thrift reads and writes through. Exceptions of Thrift leave these classes; thrift_edge.cpp catches them.
namespace isthmus::adapter::detail {

/// A frame of either direction: an answer that is larger is refused, a request that is larger is not sent.
inline constexpr int kFrameBytesMax = 32 << 20;

/// A Unix stream socket with one deadline for whatever is connected, read or written until the next is set. (Thrift's
/// own sets a timeout for each read, so that a byte now and then holds a caller for ever, and writes its failures to
/// standard error.) Threads: one. Ownership: owns the descriptor; borrows the clock.
class DeadlineSocket final : public apache::thrift::transport::TVirtualTransport<DeadlineSocket> {
 public:
  explicit DeadlineSocket(const Clock& clock) : clock_(clock) {}
  /// Of a connection that is there already.
  DeadlineSocket(const Clock& clock, int descriptor);
  ~DeadlineSocket() override;
  DeadlineSocket(const DeadlineSocket&) = delete;
  DeadlineSocket& operator=(const DeadlineSocket&) = delete;

  void set_deadline(std::chrono::milliseconds from_now) { deadline_ = clock_.since_boot() + from_now; }
  void connect(const std::filesystem::path& path);
  /// Nothing to be read and not hung up: what a connection between two calls must be.
  [[nodiscard]] bool quiet() const;

  bool isOpen() const override { return descriptor_ >= 0; }
  void close() override;
  std::uint32_t read(std::uint8_t* into, std::uint32_t size);
  void write(const std::uint8_t* from, std::uint32_t size);

 private:
  void wait_for(short events);

  const Clock& clock_;
  int descriptor_ = -1;
  std::chrono::microseconds deadline_{0};
};

/// Frames, one a message. Thrift 0.17 counts what a connection has consumed and forgets it only when it writes, so that
/// a run of frames read without a write between breaks after 100 MB in sum (THRIFT-5371, THRIFT-5492); and it never
/// tells the count what size a frame has, so that a few bytes may declare a list of millions. Here the count starts
/// anew at each end of a message, and while a message is read it is the frame's own size.
class MessageFrames final : public apache::thrift::transport::TFramedTransport {
 public:
  explicit MessageFrames(std::shared_ptr<apache::thrift::transport::TTransport> under);

  std::uint32_t readEnd() override;
  void flush() override;

 protected:
  bool readFrame() override;

 private:
  bool inside_ = false;
};

}  // namespace isthmus::adapter::detail
