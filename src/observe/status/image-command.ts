/** What the command is called in the image, which has no shell to find it: the Dockerfile's entry point. */
export const IN_IMAGE = '/nodejs/bin/node /app/dist/bin.js';
