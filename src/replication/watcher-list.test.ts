import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WatcherList } from './watcher-list.ts'

for (const count of [3, 100]) {
  test(`each of ${count} watchers is told once, but for those that have left`, () => {
    const list = new WatcherList()
    const told = new Map<number, number>()
    const watchers = Array.from({ length: count }, (_, index) => ({
      partitionChanged: (bytes: number) => void told.set(index, (told.get(index) ?? 0) + bytes),
    }))
    for (const watcher of [...watchers, ...watchers]) list.add(watcher)
    list.tell(5)
    assert.deepEqual([told.size, [...told.values()].every((bytes) => bytes === 5)], [count, true])

    told.clear()
    for (const watcher of watchers.slice(0, 2)) list.delete(watcher)
    list.delete(watchers[0]!)
    list.tell(7)
    assert.deepEqual([told.size, told.has(0), told.has(1)], [count - 2, false, false])

    for (const watcher of watchers) list.delete(watcher)
    told.clear()
    list.tell(1)
    list.add(watchers[1]!)
    list.tell(1)
    assert.deepEqual([...told], [[1, 1]])
  })

  test(`${count} watchers that leave when they are told are each told once`, () => {
    const list = new WatcherList()
    let told = 0
    for (let index = 0; index < count; index++) {
      const watcher = {
        partitionChanged() {
          told += 1
          list.delete(watcher)
        },
      }
      list.add(watcher)
    }
    list.tell(1)
    list.tell(1)
    assert.equal(told, count)
  })
}
