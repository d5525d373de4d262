import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, SerializedError, TestModule, TestSuite, Vitest } from 'vitest/node';
import type { Count, Failure } from './suite.ts';

/**
 * A reporter of vitest that writes a run as one Count into `--outputFile`. Other than vitest's own JSON it also holds what
 * failed outside of a test: hooks, files that do not load, and errors that nobody caught.
 */
export default class ResultsReporter implements Reporter {
  #file: string | undefined;

  onInit(vitest: Vitest): void {
    const { outputFile } = vitest.config;
    if (typeof outputFile === 'string') this.#file = outputFile;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    if (this.#file === undefined) throw new Error('--outputFile says where the results go; it is missing');
    writeFileSync(this.#file, JSON.stringify(countOf(modules, unhandled)));
  }
}

function countOf(modules: readonly TestModule[], unhandled: readonly SerializedError[]): Count {
  const failures: Failure[] = unhandled.map((error) => ({ name: 'an error that nobody caught', why: [whyOf(error)] }));
  let passed = 0;
  for (const module of modules) {
    const path = relative(process.cwd(), module.moduleId);
    for (const one of [module, ...module.children.allSuites()]) {
      if (one.errors().length > 0) failures.push({ name: nameOf(path, one), why: one.errors().map(whyOf) });
    }
    for (const test of module.children.allTests()) {
      const { state, errors = [] } = test.result();
      if (state === 'passed') passed += 1;
      if (state === 'failed') failures.push({ name: `${path} > ${test.fullName}`, why: errors.map(whyOf) });
    }
  }
  return { passed, failed: failures.length, failures };
}

function nameOf(path: string, place: TestModule | TestSuite): string {
  return place.type === 'module' ? `${path} (its file or a hook)` : `${path} > ${place.fullName} (a hook)`;
}

/** The message, the difference that was found, and the places of our own code, so that no second run is needed. */
function whyOf(error: SerializedError): string {
  const places = (error.stacks ?? []).map(
    (at) => `at ${relative(process.cwd(), at.file)}:${String(at.line)}:${String(at.column)}`,
  );
  const diff = 'diff' in error && typeof error.diff === 'string' ? [error.diff] : [];
  return [`${error.name ?? 'Error'}: ${error.message}`, ...diff, ...places].join('\n');
}
