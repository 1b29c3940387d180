// `npm install` at the root would succeed and quietly ignore the workspace: stop it with a word on what to do.
if (!process.env.npm_config_user_agent?.startsWith('pnpm')) {
  console.error('This repository is a pnpm workspace. Run `npm start` or `npm test`; both install what they need.');
  process.exit(1);
}
