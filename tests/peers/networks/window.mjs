/// A rate limit over fixed windows that begin at multiples of their length, as both vendors here have it.
export class Window {
  constructor(limit, seconds, now) {
    Object.assign(this, { limit, length: seconds * 1000, now, used: 0, index: -1 })
  }

  /// Counts one request.
  /// @return whether it is within the limit, how many are left, and when the window ends in milliseconds since 1970
  take() {
    const index = Math.floor(this.now() / this.length)
    if (index !== this.index) Object.assign(this, { index, used: 0 })
    const allowed = this.used < this.limit
    if (allowed) this.used += 1
    return { allowed, remaining: this.limit - this.used, reset: (index + 1) * this.length }
  }
}
