// V8's compiled code, kept from one run to the next: without it every start compiles everything anew.

import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * To be called before what is to be kept is loaded; the processes that this one starts do as it does. Kept in a folder of this user, not in
 * the common one for temporary files, which is Node's default: who can write the cache says what runs. Where nothing can be kept, nothing
 * is, without a word. `NODE_COMPILE_CACHE` names another folder, `NODE_DISABLE_COMPILE_CACHE=1` does without.
 */
export function keepCompiledCode(): void {
  try {
    const folder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'odradek')
    enableCompileCache(folder)
    process.env['NODE_COMPILE_CACHE'] ||= folder
  } catch {
    // This user has no home.
  }
}
