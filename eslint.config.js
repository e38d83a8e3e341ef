import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const pages = ['recorder/page/**/*.ts', 'recorder/classroom/**/*.ts', 'src/web/**/*.ts'];

export default defineConfig(
  globalIgnores(['dist/', 'data/', 'demo-out/', '.cache/', '**/node_modules/']),
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './tsconfig.pages.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // A promise nobody waits for is this product's deadliest bug; `void promise` must not hide one that can fail.
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Only src/config.ts reads the environment.',
        },
      ],
      eqeqeq: 'error',
      'no-console': 'error',

      // House style is `type`, everywhere.
      '@typescript-eslint/consistent-type-definitions': ['error', 'type'],
      // Numbers in messages are what messages are for.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `while (true)` with a return inside is how loops over time are written.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // `() => socket.close()` says what it does; the value is void either way.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // An async method may fulfil an interface whose other implementations wait.
      '@typescript-eslint/require-await': 'off',
      // `unknown` in a signature documents the rim (style.md), also where a rejection reason is passed on as it came.
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      // In loops over samples `as number` and `!` mean the same; neither is clearer.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      // A type argument that equals its default still tells the reader what it is.
      '@typescript-eslint/no-unnecessary-type-arguments': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // A failure is passed on as it was caught, whatever it was.
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
    },
  },
  { files: ['src/config.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['test/**/*.ts'],
    rules: {
      // A test's index is checked by the assertion that follows.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Tests hand a child its environment.
      'no-restricted-properties': 'off',
    },
  },
  {
    // Programs whose output is their result.
    files: ['src/cli/**/*.ts', 'src/verify/**/*.ts', 'test/**/*.ts', ...pages],
    rules: { 'no-console': 'off' },
  },
  {
    // `Window` can only be added to as an interface.
    files: pages,
    rules: { '@typescript-eslint/consistent-type-definitions': 'off' },
  },
  { files: ['**/*.js', '**/*.cjs'], extends: [tseslint.configs.disableTypeChecked] },
);
